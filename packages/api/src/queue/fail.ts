/** Failure as the worker reports it: another attempt while max_attempts allows one, else the task has failed. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { holds, renewsLease, type Reporter } from './fence.js';
import { backAfter, BACKOFF_SECONDS, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

export interface FailureReport {
  readonly error: string;
  /** False: no further attempt, whatever max_attempts says. */
  readonly retryable: boolean;
  /** Seconds until the next attempt; null: as the task's backoff says. */
  readonly retryAfterSeconds: number | null;
}

export interface Failed {
  /** Back in the queue (at once, or waiting for its backoff), or over. */
  readonly fate: 'requeued' | 'waiting' | 'ended';
  readonly hasDependents: boolean;
}

/** What became of the task, or null where the reporter does not hold it and nothing was changed. */
export async function fail(db: Database, reporter: Reporter, { error, retryable, retryAfterSeconds }: FailureReport): Promise<Failed | null> {
  const { rows } = await sql<{ fate: Failed['fate']; has_dependents: boolean }>`
    with held as materialized (
      select h.*, ${BACKOFF_SECONDS} as delay, h.failures + 1 < h.max_attempts and ${retryable} as again
        from (select q.*, 'failed' as outcome, ${error}::text as error from queue q where ${holds(reporter)} for update) as h
    ), requeued as (
      update queue q set failures = q.failures + 1, ${backAfter(sql`coalesce(${retryAfterSeconds}::float8, h.delay)`)}
        from held h where q.task_id = h.task_id and h.again
      returning q.task_id, q.state, q.has_dependents
    ), removed as (
      delete from queue q using held h where q.task_id = h.task_id and not h.again
      returning h.*
    ), ended as (
      select *, 'failed' as status, 'task_failed' as reason, null::json as result, null::uuid as reused_from from removed
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}, ${renewsLease(reporter)}
    select case state when 'pending' then 'requeued' else 'waiting' end as fate, has_dependents from requeued
    union all
    select 'ended', has_dependents from removed`.execute(db);
  const [row] = rows;
  return row === undefined ? null : { fate: row.fate, hasDependents: row.has_dependents };
}
