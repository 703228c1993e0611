/**
 * What a retry depends on. A parent of the task that it retries, that parent's retries and theirs are a lineage; the retry depends on the
 * newest task of it that is of use, because it completed or has not ended yet. So a child of a failed task can be retried once that one
 * has been. Where the parent itself is of use, only what was submitted after the child takes its place: an older one was there to be named,
 * and was not. Where none is of use, the task that has the parent's dedupe_key takes its place.
 *
 * Lineages depend on each other as their first tasks do, but for one whose task depends on what had the dedupe_key of a parent's retry:
 * that is a task of another lineage, which may depend on this one. Tasks that are retried together could then need each other's retries,
 * so those in a circle, and what needs them, are refused; one by one they can be retried.
 */
import { sql } from 'kysely';
import type { TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import type { RetriedRow } from './retry.js';

/** How many retries of one task are looked at, and how many tasks of a lineage in all. */
const NEWEST_RETRIES = 100;
const MOST_MEMBERS = 1_000;

/** A task of a lineage. `status` is null where it has not ended. */
interface Member {
  readonly id: string;
  readonly status: TaskStatus | null;
  /** It is of another lineage, has the dedupe_key of this one, and has not ended: a retry of the parent would be answered with it. */
  readonly is_twin: boolean;
}

/** The lineage of each parent, by its id: in the order of submission, the parent first, and last a twin where there is one. */
export type Lineages = ReadonlyMap<string, readonly Member[]>;

async function readLineages(db: Database, rows: readonly RetriedRow[]): Promise<Lineages> {
  const parents = [...new Set(rows.flatMap((row) => row.parents.map(({ parent_id: id }) => id)))];
  const lineages = new Map<string, Member[]>(parents.map((id) => [id, []]));
  if (parents.length === 0) return lineages;
  // All is looked up, whatever the planner makes of the number of rows before.
  const { rows: members } = await sql<Member & { first_id: string }>`
    select p.id as first_id, m.id, o.status, m.is_twin
      from unnest(${parents}::uuid[]) as p (id)
     cross join lateral (
       (with recursive lineage as (
          select p.id
          union all
          select r.id
            from lineage
           cross join lateral (
             select id
               from (select t.id from tasks t where t.retry_of = lineage.id offset 0) as retries
              order by id desc limit ${NEWEST_RETRIES}) as r
        )
        select id, false as is_twin from lineage limit ${MOST_MEMBERS})
       union all
       select q.task_id, true
         from (select t.dedupe_key from tasks t where t.id = p.id offset 0) as parent
        cross join lateral (select q.task_id from queue q where q.dedupe_key = parent.dedupe_key offset 0) as q) as m
      left join lateral (select o.status from outcomes o where o.task_id = m.id offset 0) as o on true
     order by m.is_twin, m.id`.execute(db);
  for (const { first_id: first, id, status, is_twin } of members) lineages.get(first)?.push({ id, status, is_twin });
  return lineages;
}

/** What takes the place of a parent: the task `id` itself or, where `again`, the retry of it that is about to be submitted. */
export interface Need {
  readonly id: string;
  readonly again: boolean;
  /** The name under which its result is delivered: as that of the parent was. */
  readonly name: string;
}

export interface Plan {
  /** What each task that can be retried depends on, by its id. */
  readonly needs: ReadonlyMap<string, readonly Need[]>;
  /** The parents that have to be retried first, by the id of the task that cannot be retried for them, or not together with them. */
  readonly refused: ReadonlyMap<string, readonly Pick<Member, 'id' | 'status'>[]>;
}

/** The plan for retries of `rows` that are submitted together. */
export async function planRetries(db: Database, rows: readonly RetriedRow[]): Promise<Plan> {
  return planAlong(rows, await readLineages(db, rows));
}

/** What the plan is made from of a task that is retried. */
export type Planned = Pick<RetriedRow, 'id' | 'status' | 'run_anyway' | 'parents'>;

/** The plan where the parents of `rows` have these lineages. */
export function planAlong(rows: readonly Planned[], lineages: Lineages): Plan {
  const left = new Map(rows.map((row) => [row.id, row]));
  const refused = new Map<string, Pick<Member, 'id' | 'status'>[]>();
  // Who is refused may be what another one depends on. Rows come mostly parents first, so that one turn and a look are enough.
  for (let before = -1; refused.size > before;) {
    before = refused.size;
    for (const row of left.values()) {
      const needed = row.run_anyway ? [] : row.parents.map(({ parent_id: parent }) => lineageOf(parent));
      const missing = needed.filter((lineage) => ofUse(row, lineage, left) === undefined).flatMap((lineage) => lineage.slice(-1));
      if (missing.length === 0) continue;
      refused.set(row.id, missing);
      left.delete(row.id);
    }
  }
  const needs = new Map([...left.values()].map((row) => {
    const own = row.parents.map(({ parent_id: parent, name }): [string, Need] => {
      const { id } = ofUse(row, lineageOf(parent), left) ?? { id: parent };
      return [id, { id, again: left.has(id), name }];
    });
    // Two parents may be of one lineage.
    return [row.id, [...new Map(own).values()]] as const;
  }));
  const placed = inNoCircle(needs);
  for (const [id, own] of needs) {
    if (!placed.has(id)) refused.set(id, own.flatMap((need) => (placed.has(need.id) ? [] : left.get(need.id) ?? [])));
  }
  return { needs: new Map([...needs].filter(([id]) => placed.has(id))), refused };

  function lineageOf(parent: string): readonly Member[] {
    return lineages.get(parent) ?? [];
  }
}

/** The ids in `needs` whose retries can be put in an order in which none comes before one that it needs. */
function inNoCircle(needs: Plan['needs']): ReadonlySet<string> {
  const missing = new Map<string, number>();
  const children = new Map<string, string[]>([...needs.keys()].map((id) => [id, []]));
  for (const [id, own] of needs) {
    const again = own.filter((need) => need.again);
    missing.set(id, again.length);
    for (const parent of again) children.get(parent.id)?.push(id);
  }
  const placed = [...needs.keys()].filter((id) => missing.get(id) === 0);
  for (const parent of placed) {
    for (const child of children.get(parent) ?? []) {
      const left = (missing.get(child) ?? 0) - 1;
      missing.set(child, left);
      if (left === 0) placed.push(child);
    }
  }
  return new Set(placed);
}

/** The task of `lineage` that the retry of `row` depends on; undefined: none is of use. Those in `retried` are, by their retries. */
function ofUse(row: Planned, lineage: readonly Member[], retried: ReadonlyMap<string, unknown>): Member | undefined {
  const isUseful = ({ status }: Member): boolean => status === null || status === 'completed';
  const [first] = lineage;
  const mayReplace = (member: Member): boolean => first === undefined || !isUseful(first) || member === first || member.id > row.id;
  return lineage.findLast(({ id }) => retried.has(id))
    ?? lineage.findLast((member) => !member.is_twin && isUseful(member) && mayReplace(member))
    ?? lineage.find((member) => member.is_twin);
}
