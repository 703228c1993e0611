/**
 * What is submitted, as the statements of submit and submit-plain read it: one recordset, with the ids and the times that the
 * database gives each row.
 */
import { randomUUID } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import { LIMITED_LABELS } from './limited-labels.js';

export interface Submission {
  readonly name: string | null;
  readonly problemId: string;
  readonly parameters: Record<string, unknown>;
  readonly labels: Record<string, string>;
  readonly priority: number;
  readonly backendType: string | null;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly maxLost: number;
  /** Initial seconds, factor, most seconds, jitter; null: the next attempt follows at once. */
  readonly backoff: readonly [number, number, number, number] | null;
  /** ISO 8601; null: now. */
  readonly runAt: string | null;
  /** Counted by the database's clock; instead of runAt. */
  readonly delaySeconds: number | null;
  readonly expiresAt: string | null;
  readonly runAnyway: boolean;
  readonly retryOf: string | null;
  readonly workflowId: string | null;
  readonly scheduleId: string | null;
  readonly dedupeKey: string | null;
  readonly reuseSeconds: number | null;
  /** The fingerprint of problem and parameters; see queue/fingerprint. */
  readonly fingerprint: string;
}

/** `tasks[child]` needs another of the same submission, or a task that is there already. */
export interface Edge {
  readonly child: number;
  readonly parent: number | string;
  /** The name under which the parent's result is delivered. */
  readonly name: string;
}

/** The columns of submissions, as submissionRow gives them, in the definition of a recordset. */
const SUBMISSION_COLUMNS: RawBuilder<unknown> = sql`
  n int, random text, name text, problem_id text, parameters json, labels json, is_labelled boolean, priority smallint, backend_type text,
  timeout_seconds int, max_attempts smallint, max_lost smallint, backoff real[], run_at timestamptz, delay_seconds float8,
  expires_at timestamptz, run_anyway boolean, retry_of uuid, workflow_id uuid, schedule_id uuid, dedupe_key text,
  reuse_seconds int, fingerprint uuid`;

/**
 * The columns of a submission that `tasks` takes as they are. The fingerprint is not among them: it has that only of tasks that run
 * themselves, since their equals find them by it.
 */
export const STORED_COLUMNS: RawBuilder<unknown> = sql`
  id, name, problem_id, parameters, labels, priority, backend_type, timeout_seconds, max_attempts, max_lost, backoff, expires_at,
  run_anyway, retry_of, workflow_id, schedule_id, dedupe_key, reuse_seconds, created_at`;

/** The n-th submission as SUBMISSION_COLUMNS reads it. What is null is left out: PostgreSQL reads the rest in a third of the time. */
function submissionRow(task: Submission, n: number): Record<string, unknown> {
  return {
    n,
    // The end of a random UUID (its variant and 62 random bits), which costs PostgreSQL a system call for each.
    random: randomUUID().slice(19),
    problem_id: task.problemId, parameters: task.parameters, labels: task.labels,
    is_labelled: Object.keys(task.labels).length > 0 || undefined,
    priority: task.priority, timeout_seconds: task.timeoutSeconds, max_attempts: task.maxAttempts, max_lost: task.maxLost,
    fingerprint: task.fingerprint, run_anyway: task.runAnyway,
    name: task.name ?? undefined, backend_type: task.backendType ?? undefined, backoff: task.backoff ?? undefined,
    run_at: task.runAt ?? undefined, delay_seconds: task.delaySeconds ?? undefined, expires_at: task.expiresAt ?? undefined,
    retry_of: task.retryOf ?? undefined, workflow_id: task.workflowId ?? undefined, schedule_id: task.scheduleId ?? undefined,
    dedupe_key: task.dedupeKey ?? undefined, reuse_seconds: task.reuseSeconds ?? undefined,
  };
}

/**
 * A query of `tasks` in their order: the columns above with id, created_at (cut to the milliseconds that the id begins with),
 * starts_at and waits. Each has a microsecond of its own, by the database's clock.
 */
export function submissions(tasks: readonly Submission[]): RawBuilder<unknown> {
  return sql`
    select g.*, uuid_v7(moment.micros, g.random) as id,
           timestamptz 'epoch' + moment.micros / 1000 * interval '1 millisecond' as created_at,
           coalesce(g.run_at, clock.at + make_interval(secs => g.delay_seconds)) as starts_at,
           coalesce(g.run_at > clock.at, g.delay_seconds > 0, false) as waits
      from (select clock_timestamp() as at offset 0) as clock
     cross join json_to_recordset(${JSON.stringify(tasks.map(submissionRow))}::json) as g (${SUBMISSION_COLUMNS})
     cross join lateral (select (date_part('epoch', clock.at) * 1000000)::bigint + g.n as micros) as moment`;
}

/** When the task with this id was submitted: the milliseconds that its id begins with. */
export function createdAtOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** The rank of a task that waits since `since`: see the migration. */
export function rankOf(since: RawBuilder<unknown>, priority: RawBuilder<unknown>, ageingMs: number): RawBuilder<number> {
  return sql<number>`(date_part('epoch', ${since}) * 1000)::bigint - ${priority}::bigint * ${ageingMs}::bigint`;
}

/** The hash stands for a longer lane: an entry of an index has room for 2,700 bytes. */
const LANE_BYTES = 500;

/** The lane of a task with `labels` (jsonb): what limits on labels tell tasks apart by. An aid to the claim, no more. */
export function labelLaneOf(labels: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`
    coalesce((select case when octet_length(lane) <= ${LANE_BYTES} then lane else encode(sha256(convert_to(lane, 'UTF8')), 'hex') end
                from (select jsonb_object_agg(key, ${labels} ->> key)::text as lane
                        from (${LIMITED_LABELS}) as limited
                       where ${labels} ->> key is not null) as whole), '')`;
}
