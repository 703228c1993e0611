-- In a transaction of its own: where a reader holds the table, this is tried again, and not the building of tasks_by_span before it.
drop index tasks_by_fingerprint;
