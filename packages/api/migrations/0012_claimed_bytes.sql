-- How much text a task's parameters are: a claim of many takes fewer where they would make too long an answer. Those that are queued
-- already count for nothing.
alter table queue add parameter_bytes integer not null default 0;
