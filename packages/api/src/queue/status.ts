/** The status of a task in SQL. Not in queue/task, since that imports queue/progress, which imports queue/fence, where it is needed too. */
import { sql, type RawBuilder } from 'kysely';
import type { TaskStatus } from '@task-executor/shared';

/** The status that callers see, from the outcome `o` or the row `queued` of the queue, whichever there is; null: there is no such task. */
export function taskStatus(queued = 'q'): RawBuilder<TaskStatus | null> {
  const state = sql.ref(`${queued}.state`);
  return sql`coalesce(o.status, case ${state} when 'waiting' then 'pending' else ${state} end)`;
}
