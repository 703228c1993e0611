-- Who waits for an equal task depends on the one that it waited for first, whoever stands in for that: were all to depend on the stand-in
-- instead, ten thousand equal tasks that fail would leave fifty million dependencies. So a stand-in says for what it stands in.
alter table stand_ins
  alter fingerprint drop not null,                                  -- null: of what earlier versions stored, not known
  add awaited_id  uuid,                                             -- what the others depend on; null: the stand-in
  add replaced_id uuid,                                             -- what ended without a result: that, or who stood in for it last
  add number      bigint not null generated always as identity;     -- who stands in later has a higher one
create unique index stand_ins_replace_once on stand_ins (awaited_id, replaced_id);
create index stand_ins_by_awaited on stand_ins (awaited_id, number);
drop index stand_ins_by_fingerprint;
create index stand_ins_by_fingerprint on stand_ins (fingerprint, number);

-- The end of a stand-in is told to who depends on what it stood in for. By a trigger: earlier versions end stand-ins as well.
alter table ended_parents add of_stand_in boolean not null default false;
create function note_awaited() returns trigger
  language plpgsql
as $$
begin
  insert into ended_parents (task_id, of_stand_in)
  select awaited_id, true from stand_ins where task_id = new.task_id and awaited_id is not null;
  return null;
end
$$;
create trigger note_awaited after insert on ended_parents for each row when (not new.of_stand_in) execute function note_awaited();
