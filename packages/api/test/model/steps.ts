/** The steps of a random history, and how likely each is. Numbers that pick something are taken modulo what there is. */
import fc from 'fast-check';
import type { BulkFilter } from './bulk.js';
import type { Misfire, Overlap, ScheduleChanges } from './schedules.js';
import type { Moment, Spec } from './task.js';

type Pick = number;
/** A report: about the attempt of a running task, about one that has ended, or about any task from any worker. */
export interface Aim {
  readonly at: 'held' | 'ended' | 'any';
  readonly pick: Pick;
  readonly worker: Pick;
  readonly withSession: boolean;
  readonly withAttempt: boolean;
}

/** A step for each of the verbs `V`, with the same facts. */
type Steps<V extends string, Facts> = V extends string ? { readonly verb: V } & Readonly<Facts> : never;
export interface SpecWithParents {
  readonly spec: Spec;
  readonly parents: readonly Pick[];
}
/** The idempotency_key of an item: a new one, or that of an earlier item, with its body or with another. */
export interface Item extends SpecWithParents {
  readonly key: 'none' | 'new' | 'again' | 'other';
  readonly keyPick: Pick;
}
/** An attempt that a heartbeat names: the task's latest or its first one, or the task alone. */
export interface Named {
  readonly pick: Pick;
  readonly attempt: 'latest' | 'first' | 'none';
}
/** One of many reports of a worker: about an attempt of its own, held or over. */
export interface ReportItem {
  readonly pick: Pick;
  readonly outcome: 'completed' | 'failed' | 'released';
}
type Session = 'none' | 'current' | 'former';

export type Step =
  | Steps<'submit', SpecWithParents & { missing: boolean; byDelay: boolean; keyed: boolean }>
  | Steps<'batch', { items: readonly Item[]; keyed: boolean }>
  | Steps<'workflow', { items: readonly SpecWithParents[]; keyed: boolean }>
  | Steps<'again', { pick: Pick; other: boolean }>
  | Steps<'cancelWorkflow' | 'retryWorkflow', { pick: Pick; keyed: boolean }>
  | Steps<'cancel' | 'retry', { pick: Pick; live: boolean; keyed: boolean }>
  | Steps<'adjust', { pick: Pick; live: boolean; priority: number | null; start: 'past' | 'future' | null }>
  | Steps<'register', { worker: Pick; backend: string; parallel: number; globs: readonly string[] }>
  | Steps<'deregister', { worker: Pick; session: Session }>
  | Steps<'heartbeat', { worker: Pick; session: Session; names: readonly Named[] }>
  | Steps<'drain', { worker: Pick; draining: boolean }>
  | Steps<'claim', { worker: Pick; session: Session; request: string | null }>
  | Steps<'claimBatch', { worker: Pick; session: Session; request: string | null; most: number }>
  | Steps<'complete', { aim: Aim; n: number }>
  | Steps<'fail', { aim: Aim; retryable: boolean; after: 0 | 3600 | null }>
  | Steps<'release', { aim: Aim }>
  | Steps<'reports', { worker: Pick; session: Session; items: readonly ReportItem[] }>
  | Steps<'log', { aim: Aim; lines: number; offset: number | null }>
  | Steps<'progress', { aim: Aim; step: number }>
  | Steps<'pause' | 'resume', { problem: string }>
  | Steps<'limit', { key: string; value: string | null; maxRunning: number }>
  | Steps<'changeLimit', { pick: Pick; maxRunning: number }>
  | Steps<'unlimit', { pick: Pick }>
  | Steps<'lapse', { worker: Pick }>
  | Steps<'overdue' | 'arrive' | 'expire', { pick: Pick }>
  | Steps<'schedule', { spec: Spec; overlap: Overlap; misfire: Misfire; paused: boolean; keyed: boolean }>
  | Steps<'changeSchedule', { pick: Pick; changes: ScheduleChanges }>
  | Steps<'unschedule', { pick: Pick }>
  | Steps<'due', { pick: Pick; missed: boolean }>
  | Steps<'bulk', { action: 'cancel' | 'retry'; filter: BulkFilter; keyed: boolean }>
  | Steps<'stopBulk', { pick: Pick }>
  | Steps<'sweep', unknown>;

/** The step of a verb. */
export type StepOf<V extends Step['verb']> = Extract<Step, { readonly verb: V }>;

/** Element `pick` of `list`, counted round. */
export function picked<T>(list: readonly T[], pick: Pick): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

/** Fires that no test lives to see: a schedule is due where the test says so. */
export const CRONS = ['0 0 1 1 *', '30 6 1 7 *'] as const;
export const PROBLEMS = ['model-a', 'model-b', 'other'];
const pick = fc.nat(1000);
/** Without the null prototypes that fast-check mixes in, which only blur a printed history. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record(model, { noNullPrototype: true });
const often = <T>(usual: T, ...rare: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) });

const spec: fc.Arbitrary<Spec> = record({
  problem: often('model-a', 'model-b', 'other'),
  parameters: record({ n: fc.nat(1) }),
  backend: often<string | null>(null, 'kind', 'gpu'),
  priority: fc.constantFrom(0, 5, 5, 9),
  labels: fc.constantFrom<Record<string, string>>({}, { team: 'x' }, { team: 'y' }, { team: 'x', tier: '1' }),
  maxAttempts: fc.constantFrom(1, 2, 3, 3),
  backoffSeconds: fc.constantFrom(0, 3600),
  maxLost: fc.constantFrom(1, 2, 3),
  start: often<Moment>(null, 'past', 'future'),
  expires: often<Moment>(null, 'past', 'future', 'future', 'future'),
  runAnyway: fc.boolean(),
  dedupeKey: often<string | null>(null, 'one', 'two'),
  reuseSeconds: often<number | null>(null, 0, 3600, 3600),
});
const parents = fc.oneof({ weight: 2, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: fc.array(pick, { minLength: 1, maxLength: 3 }) });
const keyed = often(false, true);
const items = fc.array(record({ spec, parents }), { minLength: 1, maxLength: 4 });
const batched = fc.array(
  record({ spec, parents, key: often<Item['key']>('none', 'new', 'new', 'again', 'other'), keyPick: pick }), { minLength: 1, maxLength: 4 },
);
const names = fc.array(record({ pick, attempt: fc.constantFrom<Named['attempt'][]>('latest', 'latest', 'first', 'none') }), { maxLength: 4 });
const reported = fc.array(
  record({ pick, outcome: fc.constantFrom<ReportItem['outcome'][]>('completed', 'failed', 'released') }), { minLength: 1, maxLength: 4 },
);
const aim: fc.Arbitrary<Aim> = record({
  at: often<Aim['at']>('held', 'ended', 'ended', 'any'), pick, worker: pick, withSession: fc.boolean(), withAttempt: fc.boolean(),
});
const session = often<Session>('current', 'none', 'former');
const globs = fc.constantFrom<string[]>([], [], ['model-*'], ['other', 'model-?']);

const overlap = fc.constantFrom<Overlap[]>('allow', 'skip');
const misfire = fc.constantFrom<Misfire[]>('run_once', 'skip');
const changes: fc.Arbitrary<ScheduleChanges> = record({
  cron: often<string | null>(null, ...CRONS), overlap: fc.option(overlap), misfire: fc.option(misfire), paused: fc.constantFrom(true, false, null),
});
const filter: fc.Arbitrary<BulkFilter> = fc.constantFrom<BulkFilter>(
  {}, {}, { problem_id: 'model-a' }, { problem_glob: 'model-*' }, { labels: { team: 'x' } }, { labels: { team: 'x', tier: '1' }, problem_glob: '*-a' },
  { worker_id: 'worker-001-kind' }, { status: ['pending'] }, { status: ['running', 'failed'] }, { status: ['completed'], problem_id: 'other' },
  { status: ['cancelled', 'timeout'], worker_id: 'worker-002-kind' },
);

const always = <V extends string>(verb: V): fc.Arbitrary<V> => fc.constant(verb);
const STEPS: readonly [number, fc.Arbitrary<Step>][] = [
  [10, record({ verb: always('submit'), spec, parents, missing: often(false, false, false, true), byDelay: fc.boolean(), keyed })],
  [2, record({ verb: always('batch'), items: batched, keyed })],
  [2, record({ verb: always('workflow'), items, keyed })],
  [2, record({ verb: always('again'), pick, other: often(false, true) })],
  [1, record({ verb: fc.constantFrom('cancelWorkflow', 'retryWorkflow'), pick, keyed })],
  [3, record({ verb: fc.constantFrom('cancel', 'retry'), pick, live: fc.boolean(), keyed })],
  [2, record({ verb: always('adjust'), pick, live: often(true, false), priority: fc.constantFrom(0, 10, null), start: fc.constantFrom('past', 'future', null) })],
  [3, record({ verb: always('register'), worker: pick, backend: often('kind', 'gpu'), parallel: fc.integer({ min: 1, max: 3 }), globs })],
  [1, record({ verb: always('deregister'), worker: pick, session })],
  [2, record({ verb: always('heartbeat'), worker: pick, session, names })],
  [1, record({ verb: always('drain'), worker: pick, draining: fc.boolean() })],
  [14, record({ verb: always('claim'), worker: pick, session, request: often<string | null>(null, 'r1', 'r2') })],
  [3, record({ verb: always('claimBatch'), worker: pick, session, request: often<string | null>(null, 'b1', 'b2'), most: fc.integer({ min: 1, max: 4 }) })],
  [7, record({ verb: always('complete'), aim, n: fc.nat(9) })],
  [5, record({ verb: always('fail'), aim, retryable: often(true, false), after: often<0 | 3600 | null>(null, 0, 3600) })],
  [2, record({ verb: always('release'), aim })],
  [3, record({ verb: always('reports'), worker: pick, session, items: reported })],
  [3, record({ verb: always('log'), aim, lines: fc.integer({ min: 1, max: 3 }), offset: fc.constantFrom(0, 1, 2, null, null) })],
  [2, record({ verb: always('progress'), aim, step: fc.nat(5) })],
  [1, record({ verb: fc.constantFrom('pause', 'resume', 'resume'), problem: fc.constantFrom('', ...PROBLEMS) })],
  [1, fc.constantFrom(
    { verb: 'limit', key: 'problem_id', value: null, maxRunning: 1 }, { verb: 'limit', key: 'problem_id', value: 'model-a', maxRunning: 2 },
    { verb: 'limit', key: 'backend_type', value: 'kind', maxRunning: 2 }, { verb: 'limit', key: 'label:team', value: null, maxRunning: 2 },
    { verb: 'limit', key: 'label:team', value: 'x', maxRunning: 1 },
  )],
  [1, fc.oneof(record({ verb: always('unlimit'), pick }), record({ verb: always('changeLimit'), pick, maxRunning: fc.integer({ min: 1, max: 3 }) }))],
  [1, record({ verb: always('lapse'), worker: pick })],
  [4, record({ verb: fc.constantFrom('overdue', 'arrive', 'arrive', 'expire'), pick })],
  [1, record({ verb: always('schedule'), spec, overlap, misfire, paused: often(false, true), keyed })],
  [2, record({ verb: always('changeSchedule'), pick, changes })],
  [1, record({ verb: always('unschedule'), pick })],
  [3, record({ verb: always('due'), pick, missed: often(false, true) })],
  [2, record({ verb: always('bulk'), action: fc.constantFrom('cancel', 'retry', 'retry'), filter, keyed })],
  [1, record({ verb: always('stopBulk'), pick })],
  [4, record({ verb: always('sweep') })],
];

/** Without these most histories would be about nobody. The third worker registers in some. */
const BEGINNING: readonly Step[] = [
  { verb: 'register', worker: 0, backend: 'kind', parallel: 3, globs: [] },
  { verb: 'register', worker: 1, backend: 'gpu', parallel: 2, globs: [] },
];

/** Random histories; the bias of fast-check would make most of them short. */
export const histories: fc.Arbitrary<Step[]> = fc.noBias(fc.array(
  fc.oneof(...STEPS.map(([weight, arbitrary]) => ({ weight, arbitrary }))), { minLength: 1, maxLength: 80, size: 'max' },
)).map((steps) => [...BEGINNING, ...steps]);
