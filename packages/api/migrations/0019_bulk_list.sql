-- Bulk operations are listed from the newest on.
create index bulk_operations_by_creation on bulk_operations (created_at, id);
