-- When a heartbeat last changed what the worker's metadata say of its fitness; a registration says it with the metadata themselves.
alter table workers add fitness_at timestamptz(3);
