/** The story of a task for people: everything that anybody knows of it, in the order in which it happened. */
import type { Operation } from '../clients/history.js';
import type { Evidence } from './evidence.js';

interface Line {
  readonly at: number;
  readonly who: string;
  readonly words: string;
}

/** Of a longer story the middle is left out: it is told how it began, and how it ended. */
const MAX_LINES = 120;

/** Lines of the story of `taskId`; times are seconds since the beginning of the run, at `began`. */
export function storyOf(taskId: string, { operations, runs, troubles, database, hostOfSession }: Evidence, began: number): string[] {
  const lines: Line[] = [];
  const about = operations.filter((one) => concerns(one, taskId));
  for (const one of about) {
    lines.push({ at: one.began, who: one.client, words: `asks: ${wordsOf(one)}` });
    if (one.ended !== null) lines.push({ at: one.ended, who: one.client, words: `${one.result}${one.code === null ? '' : ` (${one.code})`}: ${one.verb}` });
  }
  for (const run of runs.filter((one) => one.taskId === taskId)) {
    lines.push({ at: run.began, who: run.host, words: `the command of attempt ${run.attempt} begins` });
    lines.push({ at: run.lastSeen, who: run.host, words: `the command of attempt ${run.attempt} ${run.ended ? 'ends' : 'is last seen'}` });
  }
  for (const row of database.tasks.filter(({ id }) => id === taskId)) lines.push({ at: row.createdAt, who: 'database', words: `submitted, ${row.marker ?? ''}` });
  for (const row of database.attempts.filter((one) => one.taskId === taskId)) {
    lines.push({ at: row.startedAt, who: 'database', words: `attempt ${row.attempt} begins, session ${row.sessionId} of ${hostOfSession.get(row.sessionId) ?? 'a client'}` });
    lines.push({ at: row.endedAt, who: 'database', words: `attempt ${row.attempt} is ${row.outcome}${row.error === null ? '' : ` (${row.error})`}` });
  }
  for (const row of database.outcomes.filter((one) => one.taskId === taskId)) {
    lines.push({ at: row.endedAt, who: 'database', words: `${row.status}${row.reason === null ? '' : ` (${row.reason})`} ${JSON.stringify(row.result ?? row.error)}` });
  }
  for (const row of database.queue.filter((one) => one.taskId === taskId)) lines.push({ at: Infinity, who: 'database', words: `in the queue, ${row.state}, attempt ${row.attempt}` });
  const from = Math.min(...lines.map(({ at }) => at));
  const until = Math.max(...lines.map(({ at }) => at).filter((at) => at < Infinity));
  for (const trouble of troubles) {
    if (trouble.from > until || (trouble.until ?? Infinity) < from) continue;
    lines.push({ at: trouble.from, who: 'nemesis', words: `${trouble.kind} on ${trouble.on} ${trouble.words}` });
    if (trouble.until !== null) lines.push({ at: trouble.until, who: 'nemesis', words: `${trouble.kind} on ${trouble.on} is over` });
  }
  const told = lines.sort((a, b) => a.at - b.at)
    .map(({ at, who, words }) => `${at === Infinity ? '   at the end' : `${((at - began) / 1000).toFixed(3).padStart(9)} s`}  ${who.padEnd(14)}  ${words}`);
  if (told.length <= MAX_LINES) return told;
  return [...told.slice(0, MAX_LINES / 2), `     ... ${told.length - MAX_LINES} more ...`, ...told.slice(-MAX_LINES / 2)];
}

function concerns(one: Operation, taskId: string): boolean {
  switch (one.verb) {
    case 'submit': return one.ids.includes(taskId);
    case 'retry': return one.of === taskId || one.newId === taskId;
    case 'claim': return one.claimed?.taskId === taskId;
    case 'cancel':
    case 'follow':
    case 'upload':
    case 'download':
    case 'logs':
    case 'report': return one.taskId === taskId;
    default: return false;
  }
}

function wordsOf(one: Operation): string {
  switch (one.verb) {
    case 'submit': return `submit ${one.tasks.map((task) => JSON.stringify(task)).join(', ')}${one.key === null ? '' : ` under the key ${one.key}`}`;
    case 'retry': return `retry under the key ${one.key}, as ${one.newId ?? 'nobody knows'}`;
    case 'bulk': return `${one.action} the set ${one.set} in bulk`;
    case 'control': return `${one.on ? '' : 'end the '}${one.what} of "${one.target}"`;
    case 'follow': return `follow, by ${one.streams} streams`;
    case 'upload': return `upload ${one.name}${one.isWhole ? '' : ', in part'}, attempt ${one.attempt}, session ${one.session}`;
    case 'claim': return `claim under ${one.requestId ?? 'no id'}, session ${one.session}`;
    case 'cancel': return 'cancel';
    case 'logs': return `log ${one.messages.length} lines from ${one.offset} on, attempt ${one.attempt}`;
    case 'report': return `attempt ${one.attempt} ${one.how} ${JSON.stringify(one.body)}, session ${one.session}`;
    default: return one.verb;
  }
}
