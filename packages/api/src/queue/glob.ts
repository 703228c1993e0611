/**
 * The tasks of the problems that a glob means. Which problems these are is asked of the totals, so that what lies between their tasks in
 * the order of submission is not read: it may be all that there is. Where they are too many, that order is walked all the same, and soon
 * has a page.
 */
import { sql, type RawBuilder } from 'kysely';
import { likePattern } from '../db/like.js';
import { PLANNED_FOR_VALUES } from '../db/prepared.js';

/** Problems that are looked into, and tasks that are read of all of them together. */
const MAX_PROBLEMS = 1_000;
const MAX_TASKS = 100_000;

/** CTEs: `problems`, at most one more than `most`; `few`, whether there are no more. */
const problemsOf = (glob: string, most: number): RawBuilder<unknown> => sql`
  problems as materialized (
    select problem_id from (
      select key as problem_id from totals where axis = 'problem' and key like ${likePattern(glob)}
      union
      select problem_id from counter_deltas where problem_id like ${likePattern(glob)}) as known
     limit ${most + 1}
  ), few as materialized (select count(*) <= ${most} as are_few from problems)`;

/** Conditions on `tasks t` beside the problem. */
type Conditions = readonly RawBuilder<unknown>[];

const and = (conditions: Conditions): RawBuilder<unknown> => sql.join(conditions.map((one) => sql` and ${one}`), sql``);

/** The ids of the first `limit` tasks in the order of ids, as a query with one column `id`. */
export function firstOfGlob(
  glob: string,
  conditions: Conditions,
  { descending, limit }: { descending: boolean; limit: number },
): RawBuilder<{ id: string }> {
  const most = Math.max(1, Math.min(MAX_PROBLEMS, Math.floor(MAX_TASKS / limit)));
  const direction = descending ? sql`desc` : sql`asc`;
  const first = (id: RawBuilder<unknown>, count: number): RawBuilder<unknown> => sql`order by ${id} ${direction} limit ${count}`;
  return sql`
    with ${problemsOf(glob, most)}, best as materialized (
      -- The first tasks of all are of the problems whose own first ones are.
      select p.problem_id
        from problems p
       cross join lateral (
         select t.id from tasks t ${PLANNED_FOR_VALUES}
          where t.problem_id = p.problem_id ${and(conditions)} ${first(sql`t.id`, 1)}) as own
       where (select are_few from few)
       ${first(sql`own.id`, limit)}
    )
    select id from (
      (select own.id from best b
        cross join lateral (
          select t.id from tasks t where t.problem_id = b.problem_id ${and(conditions)} ${first(sql`t.id`, limit)}) as own)
      union all
      (select t.id from tasks t
        where not (select are_few from few) and t.problem_id like ${likePattern(glob)} ${and(conditions)}
        ${first(sql`t.id`, limit)})) as found
    ${first(sql`id`, limit)}`;
}

/** A row for each task, up to `limit`, in no order. */
export function anyOfGlob(glob: string, conditions: Conditions, limit: number): RawBuilder<unknown> {
  return sql`
    with ${problemsOf(glob, MAX_PROBLEMS)}
    (select from problems p
      cross join lateral (
        select from tasks t ${PLANNED_FOR_VALUES} where t.problem_id = p.problem_id ${and(conditions)} limit ${limit}) as own
      where (select are_few from few) limit ${limit})
    union all
    (select from tasks t
      where not (select are_few from few) and t.problem_id like ${likePattern(glob)} ${and(conditions)} limit ${limit})`;
}
