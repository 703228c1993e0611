/** Submissions: none that was acknowledged is lost, none is there that nobody made, and a key has one task for ever. */
import { isDeepStrictEqual } from 'node:util';
import type { Submission, Submit } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type TaskRow, type Violation } from '../evidence.js';

const submits = ({ operations }: Evidence): Submit[] => operations.filter((one): one is Submit => one.verb === 'submit');

/** Each task of each submission, with the id that it was told. */
function acknowledged(evidence: Evidence): { task: Submission; form: Submit['form']; id: string }[] {
  return submits(evidence).filter(({ result, existed }) => result === 'ok' && !existed)
    .flatMap(({ tasks, ids, form }) => tasks.map((task, n) => ({ task, form, id: ids[n] ?? '' })));
}

/** A submission and its delay get their times in one statement. */
const DELAY_SLACK_MS = 5;

/**
 * What is not as it was submitted of a task; undefined: nothing. What a submission leaves to the service is not compared. Edges within a
 * workflow have a rule of their own; a task that wishes for the result of another may wait for that one, or for nothing.
 */
function difference(task: Submission, form: Submit['form'], row: TaskRow): string | undefined {
  const asked = task as Submission & {
    priority?: number; timeout_seconds?: number; labels?: object; depends_on?: string[]; on_dependency_failure?: string; delay_seconds?: number;
    max_lost?: number; retry?: { max_attempts: number }; reuse?: { max_age_seconds: number }; dedupe_key?: string;
  };
  const edges = form !== 'workflow' && asked.reuse === undefined;
  const delay = row.runAt === null ? 0 : row.runAt - row.createdAt;
  const pairs: Readonly<Record<string, readonly [asked: unknown, found: unknown]>> = {
    marker: [task.parameters.marker, row.marker], problem: [task.problem_id, row.problemId], parameters: [task.parameters, row.parameters],
    priority: [asked.priority, row.priority], timeout: [asked.timeout_seconds, row.timeoutSeconds], labels: [asked.labels ?? {}, row.labels],
    attempts: [asked.retry?.max_attempts, row.maxAttempts], losses: [asked.max_lost, row.maxLost],
    parents: [edges ? [...asked.depends_on ?? []].sort() : undefined, [...row.parents].sort()],
    'wish to run anyway': [asked.on_dependency_failure === undefined ? undefined : asked.on_dependency_failure === 'run_anyway', row.runAnyway],
    delay: [true, Math.abs(delay - (asked.delay_seconds ?? 0) * 1000) <= DELAY_SLACK_MS],
    dedupe_key: [asked.dedupe_key ?? null, row.dedupeKey], reuse: [asked.reuse?.max_age_seconds ?? null, row.reuseSeconds],
  };
  return Object.keys(pairs).find((name) => pairs[name]?.[0] !== undefined && !isDeepStrictEqual(pairs[name][0], pairs[name][1]));
}

export const acknowledgedSubmissionsAreThere: Rule = (evidence) => {
  const rows = new Map(evidence.database.tasks.map((row) => [row.id, row]));
  return acknowledged(evidence).flatMap(({ task, form, id }): Violation[] => {
    const row = rows.get(id);
    const said = { rule: 'no acknowledged submission is lost', taskId: id };
    if (row === undefined) return [{ ...said, words: `${task.parameters.marker} was acknowledged as ${id}, and there is no such task` }];
    const what = difference(task, form, row);
    return what === undefined ? [] : [{ ...said, words: `${task.parameters.marker} was acknowledged as ${id}, which has another ${what}: ${JSON.stringify(row)}` }];
  });
};

export const noSubmissionIsInvented: Rule = (evidence) => {
  const made = new Set(submits(evidence).flatMap(({ tasks }) => tasks.map(({ parameters }) => parameters.marker)));
  return evidence.database.tasks
    .filter(({ marker, scheduleId, retryOf }) => scheduleId === null && retryOf === null && (marker === null || !made.has(marker)))
    .map(({ id }) => ({ rule: 'no submission is invented', taskId: id, words: `nobody submitted ${id}` }));
};

/** Whatever was told of it: one submission is one task at most, and a refused one none. Some submit what others have submitted. */
export const submissionsCountOnce: Rule = (evidence) => {
  const rows = groupBy(evidence.database.tasks.filter(({ scheduleId, retryOf }) => scheduleId === null && retryOf === null), ({ marker }) => marker ?? '');
  const asked = groupBy(submits(evidence).flatMap((submit) => submit.tasks.map((task) => ({ marker: task.parameters.marker, submit }))), ({ marker }) => marker);
  return [...asked].flatMap(([marker, all]): Violation[] => {
    const found = rows.get(marker) ?? [];
    const taskId = found[0]?.id ?? null;
    const said = { rule: 'a submission makes one task at most', taskId };
    const made = new Set(all.filter(({ submit }) => submit.result !== 'fail').map(({ submit }) => submit.key ?? submit));
    if (found.length <= made.size) return [];
    if (made.size === 0) return [{ ...said, words: `${marker} was refused, and is there` }];
    return [{ ...said, words: `${marker} is there ${found.length} times, and was submitted ${made.size} times: ${found.map(({ id }) => id).join(', ')}` }];
  });
};

export const keysHaveOneTask: Rule = (evidence) => {
  const keyed = groupBy(submits(evidence).filter(({ key, result }) => key !== null && result === 'ok'), ({ key }) => key ?? '');
  return [...keyed].flatMap(([key, all]) => {
    const answers = new Set(all.map(({ ids }) => ids.join(' ')));
    return answers.size === 1 ? [] : [{ rule: 'a key has one task for ever', taskId: all[0]?.ids[0] ?? null, words: `${key} was answered with ${[...answers].join(' and with ')}` }];
  });
};
