/** What becomes of submissions in the model: which are stored, and what each of them waits for. Pure. */
import { areEqual, isLive, type DependencyKind, type ModelTask, type Moment, type Spec } from './task.js';

/** A level of priority, in milliseconds of waiting: the default of PRIORITY_AGEING_MINUTES. */
const AGEING_MS = 86_400_000;

export interface Item {
  readonly spec: Spec;
  /** Ids of tasks, or places in the same submission. */
  readonly needs: readonly { readonly parent: string | number; readonly name: string }[];
  readonly retryOf?: string;
  readonly scheduleId?: string;
}

/** What the database gave a task that was stored. */
export interface Given {
  readonly id: string;
  readonly createdAtMs: number;
  readonly runAtMs: number | null;
}

export function rankOf(sinceMs: number, priority: number): number {
  return sinceMs - priority * AGEING_MS;
}

/** Whether it is over, though it has not ended yet: with the next sweep, or where a submission has its dedupe_key. */
export function hasExpired({ attempt, expires }: ModelTask): boolean {
  return attempt === 0 && expires === 'past';
}

/** For each item the task that has its dedupe_key already, the place of the item that has, or null where it is stored. */
export function twinsOf(items: readonly Item[], tasks: readonly ModelTask[]): (string | number | null)[] {
  return items.map(({ spec: { dedupeKey } }, n) => {
    if (dedupeKey === null) return null;
    const live = tasks.find((task) => isLive(task) && !hasExpired(task) && task.spec.dedupeKey === dedupeKey);
    if (live !== undefined) return live.id;
    const first = items.findIndex(({ spec }) => spec.dedupeKey === dedupeKey);
    return first < n ? first : null;
  });
}

/** The tasks of the items that are stored, each in the state of its first moment. `given` has a place for every item. */
export function store(items: readonly Item[], given: readonly (Given | null)[], before: readonly ModelTask[]): ModelTask[] {
  const stored: ModelTask[] = [];
  for (const [n, item] of items.entries()) {
    const facts = given[n];
    if (facts == null) continue;
    const needs = item.needs.map(({ parent, name }) => ({ name, parent: typeof parent === 'string' ? parent : given[parent]?.id ?? '' }));
    const task = fresh(item, facts, needs);
    const source = sourceOf(item.spec, before);
    if (source !== null) Object.assign(task, { state: 'completed', reason: 'reused', reusedFrom: source.id, result: source.result });
    else wait(task, item, needs, before, stored);
    stored.push(task);
  }
  return stored;
}

function fresh({ spec, retryOf, scheduleId }: Item, { id, createdAtMs, runAtMs }: Given, needs: ModelTask['needs']): ModelTask {
  return {
    id, spec, retryOf: retryOf ?? null, scheduleId: scheduleId ?? null, createdAtMs, priority: spec.priority, rank: rankOf(Math.max(createdAtMs, runAtMs ?? 0), spec.priority),
    state: 'pending', reason: null, available: spec.start, expires: spec.expires, attempt: 0, failures: 0, losses: 0, holder: null,
    endedBy: null, attempts: [], progress: new Map<number, number>(), lines: 0, linesBefore: 0, needs, open: new Map<string, DependencyKind>(), result: null, reusedFrom: null, standsFor: null,
  };
}

/** The latest equal task that ran to completion, where the submission takes one so old. */
function sourceOf(spec: Spec, before: readonly ModelTask[]): ModelTask | null {
  // In a test no time at all has passed only for what has not ended.
  if (spec.reuseSeconds === null || spec.reuseSeconds === 0) return null;
  return before.findLast((task) => areEqual(task.spec, spec) && task.state === 'completed' && task.reason === null) ?? null;
}

function isAwaited({ id, standsFor }: ModelTask, all: readonly ModelTask[]): boolean {
  return all.some((one) => isLive(one) && one.open.get(standsFor ?? id) === 'reuse');
}

function wait(task: ModelTask, { spec }: Item, needs: ModelTask['needs'], before: readonly ModelTask[], stored: readonly ModelTask[]): void {
  const byId = new Map([...before, ...stored].map((one) => [one.id, one]));
  for (const { parent } of needs) {
    const state = byId.get(parent)?.state;
    const isOver = state !== undefined && !isLive({ state } as ModelTask);
    if (!isOver || (state !== 'completed' && !spec.runAnyway)) task.open.set(parent, 'needs');
  }
  if (spec.reuseSeconds !== null) {
    const equal = before.find((one) => areEqual(one.spec, spec) && isLive(one) && one.reason !== 'reusing')
      // It expired for this submission, and those that wait for it have not been told.
      ?? before.find((one) => areEqual(one.spec, spec) && !isLive(one) && isAwaited(one, before))
      ?? stored.find((one) => areEqual(one.spec, spec) && isLive(one));
    if (equal !== undefined) task.open.set(equal.standsFor ?? equal.id, 'reuse');
  }
  if (task.open.size > 0) Object.assign(task, { state: 'waiting', reason: [...task.open.values()].includes('reuse') ? 'reusing' : 'blocked' });
  else if (spec.start === 'future') Object.assign(task, { state: 'waiting', reason: 'scheduled' });
}

/** The parent and all that retried it, and those in turn, in the order of submission. */
function lineageOf(id: string, all: readonly ModelTask[]): ModelTask[] {
  const lineage = new Set([id]);
  for (const task of [...all].sort((a, b) => (a.id < b.id ? -1 : 1))) if (task.retryOf !== null && lineage.has(task.retryOf)) lineage.add(task.id);
  return all.filter((task) => lineage.has(task.id)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The newest of a parent's lineage that a retry of `task` can take for it; those in `again` are retried with it. */
function ofUseTo(task: ModelTask, parent: string, again: readonly ModelTask[], all: readonly ModelTask[]): ModelTask | undefined {
  const lineage = lineageOf(parent, all);
  const newest = lineage.findLast((one) => again.includes(one));
  if (newest !== undefined) return newest;
  const useful = lineage.filter((one) => isLive(one) || one.state === 'completed');
  return useful.findLast((one) => useful[0]?.id !== parent || one.id === parent || one.id > task.id)
    ?? all.find((one) => isLive(one) && one.spec.dedupeKey !== null && one.spec.dedupeKey === lineage[0]?.spec.dedupeKey);
}

/** Those of `again` that would not wait for their own retries, nor for such as would. */
function inNoCircle(again: readonly ModelTask[], all: readonly ModelTask[]): ModelTask[] {
  const free = new Set<ModelTask>();
  const isFree = (task: ModelTask): boolean => task.needs.every(({ parent }) => {
    const needed = ofUseTo(task, parent, again, all);
    return needed === undefined || free.has(needed) || !again.includes(needed);
  });
  for (let before = -1; free.size > before;) {
    before = free.size;
    for (const task of again) if (isFree(task)) free.add(task);
  }
  return again.filter((task) => free.has(task));
}

/** The retries of those of `tasks` that can be retried, when they are submitted together. */
export function retriedTogether(tasks: readonly ModelTask[], all: readonly ModelTask[]): { again: ModelTask[]; items: Item[] } {
  let again = [...tasks];
  const isStuck = (task: ModelTask): boolean => !task.spec.runAnyway && task.needs.some(({ parent }) => ofUseTo(task, parent, again, all) === undefined);
  while (again.some(isStuck)) again = again.filter((task) => !isStuck(task));
  again = inNoCircle(again, all);
  const items = again.map((task) => ({ ...retried(task), needs: task.needs.map(({ parent, name }) => {
    const needed = ofUseTo(task, parent, again, all);
    const place = again.findIndex((one) => one === needed);
    return { name, parent: place < 0 ? needed?.id ?? parent : place };
  }) }));
  // Where a parent's dedupe_key belongs to another task, that one is what its children depend on.
  const twins = twinsOf(items, all);
  return { again, items: items.map((item) => {
    const needs = item.needs.map(({ parent, name }) => ({ name, parent: typeof parent === 'number' ? twins[parent] ?? parent : parent }));
    return { ...item, needs: needs.filter(({ parent }, n) => needs.findIndex((one) => one.parent === parent) === n) };
  }) };
}

/** What a retry submits that depends on the same tasks. */
export function retried(task: ModelTask): Item {
  const { spec, priority, needs } = task;
  return {
    spec: { ...spec, priority, start: null satisfies Moment, expires: null, reuseSeconds: null },
    needs,
    retryOf: task.id,
  };
}
