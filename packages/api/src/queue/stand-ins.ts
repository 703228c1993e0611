/**
 * Stand-ins. When a task ends without a result, one of those waiting for an equal one runs in its place; if that fails too, the next does.
 * The others keep depending on the first; who runs for it is found in stand_ins.
 */
import { sql, type RawBuilder } from 'kysely';

/**
 * The task whose result those get that depend on `awaited`, a column: that task, or the last that stands, or stood, in for it. The last
 * is the one that nobody has replaced: numbers only say where to look first, since a database that was replicated by its rows may have
 * begun to count anew.
 */
export function runnerOf(awaited: string): RawBuilder<string> {
  const id = sql.ref(awaited);
  return sql`coalesce((
    select s.task_id from stand_ins s
     where s.awaited_id = ${id} and not exists (select from stand_ins n where n.awaited_id = s.awaited_id and n.replaced_id = s.task_id)
     order by s.number desc limit 1), ${id})`;
}

/** The fingerprint of the task `id`, a column, where it runs or ran itself. */
export function fingerprintOfRun(id: string): RawBuilder<string | null> {
  return sql`coalesce((select fingerprint from tasks where id = ${sql.ref(id)}),
                      (select fingerprint from stand_ins where task_id = ${sql.ref(id)}))`;
}
