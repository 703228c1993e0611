-- Fingerprints are random: in one index over all of history each submission went to another page of it, which after a checkpoint is written
-- whole into the WAL (8 kB for a row of 1), and which no cache holds for ever. Sorted first by a span of time, the first two bytes of the id
-- (2^32 ms, seven weeks), all but the pages of the present span rest. See queue/reuse.
create index tasks_by_span on tasks (substr(uuid_send(id), 1, 2), fingerprint, id) where fingerprint is not null;
