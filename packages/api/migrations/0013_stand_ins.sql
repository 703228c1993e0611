-- Of equal tasks those that run themselves are found by tasks.fingerprint. One that takes another's result, or waits for it, has none:
-- there may be a hundred thousand of them for each that runs. Of those that waited, who then runs after all is found here.
create table stand_ins (
  task_id     uuid primary key,
  fingerprint uuid not null
);
create index stand_ins_by_fingerprint on stand_ins (fingerprint, task_id);
create trigger written_once before update or delete or truncate on stand_ins for each statement execute function refuse_change();
