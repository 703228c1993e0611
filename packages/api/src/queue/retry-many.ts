/** Retrying many tasks at once, some of which depend on each other. */
import type { Database } from '../db/database.js';
import type { Plan } from './retry-plan.js';
import { retryOf, type RetriedRow } from './retry.js';
import type { Edge } from './submission.js';
import { submit, type Submitted } from './submit.js';
import type { Swept } from './sweep.js';
import type { TaskRow } from './task.js';

type Retried = Pick<RetriedRow, 'id' | 'dedupe_key'>;

/**
 * Those of `rows` that can be retried, parents first and else in their order. Ids follow the order of submission, and tasks without a
 * workflow that holds them together are retried piece by piece in the order of ids: a child before its parent could come a piece too early.
 */
function parentsFirst<Row extends Retried>(rows: readonly Row[], needs: Plan['needs']): Row[] {
  const rowOf = new Map(rows.filter(({ id }) => needs.has(id)).map((row) => [row.id, row]));
  const placed = new Set<Row>();
  for (const row of rowOf.values()) {
    // With the way kept: a workflow of 2,000 in a row must not exhaust the stack.
    const way = [row];
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const parents = placed.has(top) ? [] : needs.get(top.id) ?? [];
      const missing = parents.flatMap(({ id, again }) => {
        const parent = again ? rowOf.get(id) : undefined;
        return parent === undefined || placed.has(parent) ? [] : [parent];
      });
      if (missing.length > 0) {
        way.push(...missing.reverse());
      } else {
        placed.add(top);
        way.pop();
      }
    }
  }
  return [...placed];
}

/**
 * Those of `all` that can be retried, parents first, in the parts in which they have to be submitted: what a task depends on is in the
 * same part or an earlier one. Where a parent has a dedupe_key, it may turn out to be another task, so its children come in a part after
 * it.
 */
export function partsOf<Row extends Retried>(all: readonly Row[], { needs }: Pick<Plan, 'needs'>): Row[][] {
  const rows = parentsFirst(all, needs);
  const keyed = new Set(rows.filter((row) => row.dedupe_key !== null).map(({ id }) => id));
  const partOf = new Map(rows.map(({ id }) => [id, 0]));
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const [id, part] of partOf) {
      const retried = (needs.get(id) ?? []).filter(({ again }) => again);
      const least = Math.max(part, ...retried.map((need) => (partOf.get(need.id) ?? 0) + (keyed.has(need.id) ? 1 : 0)));
      if (least === part) continue;
      partOf.set(id, least);
      isSettled = false;
    }
  }
  const parts: Row[][] = [];
  for (const row of rows) {
    (parts[partOf.get(row.id) ?? 0] ??= []).push(row);
  }
  return parts;
}

/** Retries `rows` as planned: in a transaction, within `withRaces`. */
export async function submitRetries(db: Database, ageingMs: number, rows: readonly RetriedRow[], plan: Plan): Promise<Submitted> {
  const all: { rows: TaskRow[]; created: boolean[]; parentsEnded: boolean; expired: Swept[] } = { rows: [], created: [], parentsEnded: false, expired: [] };
  const retries = new Map<string, string>();
  for (const part of partsOf(rows, plan)) {
    const position = new Map(part.map(({ id }, n) => [id, n]));
    const edges = part.flatMap((row, child) => {
      const needs = plan.needs.get(row.id) ?? [];
      const parents = new Map(needs.map(({ id, again, name }) => [again ? position.get(id) ?? retries.get(id) ?? id : id, name]));
      return [...parents].map(([parent, name]): Edge => ({ child, parent, name }));
    });
    const submitted = await submit(db, ageingMs, part.map(retryOf), edges);
    for (const [n, { id }] of part.entries()) retries.set(id, submitted.rows[n]?.id ?? '');
    all.rows.push(...submitted.rows);
    all.created.push(...submitted.created);
    all.parentsEnded ||= submitted.parentsEnded;
    all.expired.push(...submitted.expired ?? []);
  }
  return all;
}
