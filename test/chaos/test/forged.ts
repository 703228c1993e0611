/** A little history in which everything is as it should be, to be forged. */
import type { Evidence } from '../checker/evidence.js';
import type { Operation, Submission } from '../clients/history.js';

export const PARENT = '00000000-0000-7000-8000-000000000001';
export const CHILD = '00000000-0000-7000-8000-000000000002';
export const GONE = '00000000-0000-7000-8000-000000000003';
export const SCHEDULE = '00000000-0000-7000-8000-00000000000f';

export const SESSION = 'session-of-host-1';
export const OTHER = 'session-of-host-2';

export type Writable<T> = T extends ReadonlyMap<infer K, infer V> ? Map<K, V>
  : T extends ReadonlySet<infer V> ? Set<V>
    : T extends readonly (infer V)[] ? Writable<V>[]
      : T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> } : T;
export type Draft = Writable<Evidence>;

/** A change to a sound history that breaks a rule. */
export type Forgery = readonly [rule: string, what: string, forge: (draft: Draft) => void];

export const submission = (marker: string): Submission => ({ problem_id: 'chaos-a', parameters: { marker, ticks: 1, lines: 1, failures: 0 } });

/** What a client notes of an operation that was acknowledged. */
export const noted = (began: number, ended: number) => ({ client: 'client', began, ended, result: 'ok' as const, code: null });

const submit = (id: string, key: string | null, at: number, more: object = {}): Operation => ({ ...noted(at, at + 10), verb: 'submit', key, tasks: [{ ...submission(`marker of ${id}`), ...more }], form: 'one', ids: [id], workflowId: null, existed: false });

/** A row of a task that was submitted alone. */
export const task = (id: string, createdAt: number): Draft['database']['tasks'][number] => ({
  id, problemId: 'chaos-a', marker: `marker of ${id}`, priority: 5, labels: {}, timeoutSeconds: 15, createdAt, runAt: null, scheduleId: null, parents: [],
  name: null, workflowId: null, retryOf: null, dedupeKey: null, reuseSeconds: null, parameters: submission(`marker of ${id}`).parameters,
  runAnyway: false, maxAttempts: 1, maxLost: 3,
});

/**
 * The parent is lost once and completed by another; the child, under a limit, follows it and is completed; a third is cancelled
 * while it runs. Times are milliseconds.
 */
export function soundHistory(): Draft {
  const result = { marker: `marker of ${PARENT}`, attempt: 2 };
  const childResult = { marker: `marker of ${CHILD}`, attempt: 1 };
  const claim = (session: string, taskId: string, attempt: number, at: number): Operation =>
    ({ ...noted(at, at + 10), verb: 'claim', session, requestId: `${taskId}/${attempt}`, claimed: { taskId, attempt } });
  const report = (session: string, taskId: string, attempt: number, body: unknown, at: number): Operation =>
    ({ ...noted(at, at + 20), verb: 'report', how: 'completed', session, taskId, attempt, body });
  const operations: Operation[] = [
    submit(PARENT, 'key', 100), submit(PARENT, 'key', 150), submit(CHILD, null, 200, { depends_on: [PARENT], labels: { lane: 'narrow' } }), submit(GONE, null, 300),
    claim(SESSION, PARENT, 1, 1_000), claim(OTHER, PARENT, 2, 20_000),
    { ...noted(20_500, 20_510), verb: 'logs', session: OTHER, taskId: PARENT, attempt: 2, offset: 0, messages: ['1', '2'] },
    report(OTHER, PARENT, 2, result, 22_000), { ...report(SESSION, PARENT, 1, result, 23_000), result: 'fail', code: 'attempt_not_held' },
    claim(OTHER, CHILD, 1, 24_000), report(OTHER, CHILD, 1, childResult, 26_000),
    claim(OTHER, GONE, 1, 27_000), { ...noted(28_000, 28_100), verb: 'cancel', taskId: GONE },
    { ...noted(28_200, 28_210), result: 'fail', code: 'task_terminal', verb: 'cancel', taskId: GONE },
    { ...noted(30_000, 30_500), verb: 'walk', ids: [PARENT, CHILD, GONE] },
  ];
  const attempt = (taskId: string, n: number, sessionId: string, startedAt: number, endedAt: number, outcome: 'lost' | 'completed' | 'cancelled', error: string | null) =>
    ({ taskId, attempt: n, sessionId, startedAt, endedAt, outcome, error });
  const run = (taskId: string, n: number, host: string, began: number, lastSeen: number, ended: boolean) => ({ taskId, attempt: n, host, began, lastSeen, ended });
  return {
    operations,
    runs: [run(PARENT, 1, 'host-1', 1_100, 18_000, false), run(PARENT, 2, 'host-2', 20_100, 21_900, true), run(CHILD, 1, 'host-2', 24_100, 25_900, true), run(GONE, 1, 'host-2', 27_100, 28_500, false)],
    troubles: [],
    ways: { lostAnswers: 0, duplicates: 0, resets: 0, swallowed: 0 },
    samples: [{ at: 10_000, breaches: [] }],
    realSessions: new Set([SESSION, OTHER]),
    hostOfSession: new Map([[SESSION, 'host-1'], [OTHER, 'host-2']]),
    database: {
      tasks: [task(PARENT, 105), { ...task(CHILD, 205), parents: [PARENT], labels: { lane: 'narrow' } }, task(GONE, 305)],
      workflows: [],
      bulks: [],
      artifacts: [],
      queue: [],
      attempts: [
        attempt(PARENT, 1, SESSION, 1_005, 17_000, 'lost', 'the worker stopped sending heartbeats'), attempt(PARENT, 2, OTHER, 20_005, 22_010, 'completed', null),
        attempt(CHILD, 1, OTHER, 24_005, 26_010, 'completed', null), attempt(GONE, 1, OTHER, 27_005, 28_050, 'cancelled', 'cancelled on request'),
      ],
      outcomes: [
        { taskId: PARENT, status: 'completed', reason: null, attempt: 2, sessionId: OTHER, endedAt: 22_010, result, error: null, reusedFrom: null },
        { taskId: CHILD, status: 'completed', reason: null, attempt: 1, sessionId: OTHER, endedAt: 26_010, result: childResult, error: null, reusedFrom: null },
        { taskId: GONE, status: 'cancelled', reason: 'cancel_requested', attempt: 1, sessionId: OTHER, endedAt: 28_050, result: null, error: 'cancelled on request', reusedFrom: null },
      ],
      logs: [{ taskId: PARENT, line: 1, attempt: 2, message: '1' }, { taskId: PARENT, line: 2, attempt: 2, message: '2' }],
      schedules: [{ id: SCHEDULE, fires: 0, skips: 0, firstAt: 5_000, nextAt: 5_000, periodMs: 5_000 }],
      limits: [{ label: 'lane', value: 'narrow', maxRunning: 1 }],
      breaches: [],
    },
  } as Draft;
}

/** Adds operations to a history. */
export function note({ operations }: Draft, ...more: readonly Operation[]): void {
  (operations as Operation[]).push(...more);
}

/** The one of `all` that fits. */
export function the<T>(all: readonly T[], which: (one: T) => boolean): T {
  const found = all.filter(which);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} fit`);
  return found[0];
}
