/**
 * A batch: tasks that are submitted together. An item may have an idempotency key of its own, by which it gets the task that it got before;
 * only the other items are submitted.
 */
import type { components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { keepAnswers, takeKeys, type KeyedRequest } from './idempotency.js';
import type { Submission } from './submission.js';
import { submit, type Submitted } from './submit.js';
import { edgesOf, InvalidSubmission } from './to-submission.js';

export interface BatchItem {
  readonly task: Submission;
  /** Ids of the tasks that it depends on. */
  readonly dependsOn: readonly string[] | undefined;
}

/** An item with a key, which is the `n`-th of its batch. */
export interface KeyedItem extends KeyedRequest {
  readonly n: number;
}

export interface SubmittedBatch {
  /** The task of each item, and whether it is a new one. */
  readonly results: { id: string; created: boolean }[];
  /** The tasks that did not come before. */
  readonly submitted: Submitted;
}

const NOTHING: Submitted = { rows: [], created: [], parentsEnded: false };

/** The items at `path` that have a key. @throws InvalidSubmission where two have the same */
export function keyedItems(path: string, items: components['schemas']['TaskBatch']['tasks']): KeyedItem[] {
  const keyed = items.flatMap(({ idempotency_key: key, ...body }, n) =>
    (key === undefined ? [] : [{ n, key, operation: 'an item of a batch', body }]));
  if (new Set(keyed.map(({ key }) => key)).size < keyed.length) {
    throw new InvalidSubmission(path, 'two of them have the same idempotency_key');
  }
  return keyed;
}

/**
 * Submits `items`, of which `keyed` have keys; within `withRaces` and, where there are keys, in a transaction.
 * @throws KeyReused, MissingParent
 */
export async function submitBatch(
  db: Database, ageingMs: number, items: readonly BatchItem[], keyed: readonly KeyedItem[],
): Promise<SubmittedBatch> {
  const kept = await takeKeys(db, keyed);
  const earlier = new Map(keyed.flatMap(({ n }, k) => (kept[k] == null ? [] : [[n, JSON.parse(kept[k].answer) as string] as const])));
  const fresh = [...items.entries()].filter(([n]) => !earlier.has(n));
  const submitted = fresh.length === 0 ? NOTHING : await submit(
    db, ageingMs, fresh.map(([, { task }]) => task), fresh.flatMap(([, { dependsOn }], child) => edgesOf(child, dependsOn)),
  );
  const results = items.map((_item, n) => ({ id: earlier.get(n) ?? '', created: false }));
  for (const [k, [n]] of fresh.entries()) results[n] = { id: submitted.rows[k]?.id ?? '', created: submitted.created[k] === true };
  const answers = keyed.filter(({ n }) => !earlier.has(n)).map(({ key, n }) => {
    const id = results[n]?.id ?? '';
    return { key, status: 201, location: `/api/v1/tasks/${id}`, answer: JSON.stringify(id) };
  });
  await keepAnswers(db, answers);
  return { results, submitted };
}
