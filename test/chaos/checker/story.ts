/** The story of a task, or of anything else, for people: everything that anybody knows of it, in the order in which it happened. */
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
  const lines = operations.filter((one) => concerns(one, taskId)).flatMap(linesOf);
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
  return told(lines, troubles, began);
}

/** Lines of what is known of `about`: the operations and the rows that name it, or all operations of that verb. */
export function storyAbout(about: string, { operations, troubles, database }: Evidence, began: number): string[] {
  const names = (one: object): boolean => JSON.stringify(one).includes(JSON.stringify(about));
  const lines = operations.filter((one) => one.verb === about || names(one)).flatMap(linesOf);
  for (const row of database.tasks.filter(names)) lines.push({ at: row.createdAt, who: 'database', words: `the task ${row.id} is submitted, ${row.marker ?? ''}` });
  for (const row of [...database.workflows, ...database.bulks, ...database.schedules].filter(names)) lines.push({ at: Infinity, who: 'database', words: JSON.stringify(row) });
  return told(lines, troubles, began);
}

/** That it was asked, and what the answer was. */
function linesOf(one: Operation): Line[] {
  const asked = { at: one.began, who: one.client, words: `asks: ${wordsOf(one)}` };
  if (one.ended === null) return [asked];
  return [asked, { at: one.ended, who: one.client, words: `${one.result}${one.code === null ? '' : ` (${one.code})`}: ${one.verb}` }];
}

/** `lines` with what went wrong meanwhile, as text. */
function told(lines: readonly Line[], troubles: Evidence['troubles'], began: number): string[] {
  const from = Math.min(...lines.map(({ at }) => at));
  const until = Math.max(...lines.map(({ at }) => at).filter((at) => at < Infinity));
  const wrong = troubles.filter((trouble) => trouble.from <= until && (trouble.until ?? Infinity) >= from).flatMap((trouble): Line[] => [
    { at: trouble.from, who: 'nemesis', words: `${trouble.kind} on ${trouble.on} ${trouble.words}` },
    ...(trouble.until === null ? [] : [{ at: trouble.until, who: 'nemesis', words: `${trouble.kind} on ${trouble.on} is over` }]),
  ]);
  const all = [...lines, ...wrong].sort((a, b) => a.at - b.at)
    .map(({ at, who, words }) => `${at === Infinity ? '   at the end' : `${((at - began) / 1000).toFixed(3).padStart(9)} s`}  ${who.padEnd(14)}  ${words}`);
  if (all.length <= MAX_LINES) return all;
  return [...all.slice(0, MAX_LINES / 2), `     ... ${all.length - MAX_LINES} more ...`, ...all.slice(-MAX_LINES / 2)];
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
