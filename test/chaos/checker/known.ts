/**
 * What clients could know. The database's own times are those at which a statement began to arrive, which may be long before what it
 * did was to be seen; an answer proves more.
 */
import type { Evidence } from './evidence.js';

/** By when each task had ended, as far as some answer says so. */
export function knownEnds({ operations }: Evidence): Map<string, number> {
  const ends = new Map<string, number>();
  const note = (taskId: string, at: number | null): void => {
    if (at !== null) ends.set(taskId, Math.min(at, ends.get(taskId) ?? Infinity));
  };
  for (const one of operations) {
    if (one.verb === 'report' && one.how === 'completed' && one.result === 'ok') note(one.taskId, one.ended);
    if (one.verb === 'cancel' && (one.result === 'ok' || one.code === 'task_terminal')) note(one.taskId, one.ended);
    if (one.verb === 'follow' && one.result === 'ok') note(one.taskId, one.ended);
    if (one.verb === 'retry' && one.what === 'task' && one.result === 'ok') note(one.of, one.ended);
  }
  return ends;
}
