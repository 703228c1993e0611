/**
 * Artifacts: files that attempts leave. A row is written by the attempt that holds the task, once the bytes are safe, and never
 * changes. Within an attempt a name stands for one file.
 */
import { sql } from 'kysely';
import type { components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { HOLDS, RENEWS_LEASE, reporterRow, type Reporter } from './fence.js';

export interface ArtifactRow {
  id: string;
  task_id: string;
  attempt: number;
  name: string;
  bytes: number;
  sha256: Buffer;
  content_type: string;
  storage_key: string;
  created_at: Date;
}

/** How much an attempt may leave. */
export interface ArtifactQuota {
  readonly files: number;
  readonly bytes: number;
}

/** `full`: with these bytes the attempt would leave more than it may. `not_held`: the reporter does not hold the task. */
export type Admission = 'admitted' | 'full' | 'not_held';

/** Whether `bytes` more would be taken of the reporter; asked before any of them is read. */
export async function admitArtifact(db: Database, reporter: Reporter, bytes: number, quota: ArtifactQuota): Promise<Admission> {
  const { rows: [held] } = await sql<{ has_room: boolean }>`
    select (select count(*) < ${quota.files} and coalesce(sum(bytes), 0) + ${bytes}::bigint <= ${quota.bytes}::bigint
              from artifacts a where a.task_id = q.task_id and a.attempt = q.attempt) as has_room
      from queue q join ${reporterRow(reporter)} as g on ${HOLDS}`.execute(db);
  if (held === undefined) return 'not_held';
  return held.has_room ? 'admitted' : 'full';
}

/**
 * The file `name` that the reporter's attempt has left, or null. That of an attempt which has ended is found only where the reporter
 * names the attempt: a repeated upload is answered like the first.
 */
export async function findLeft(db: Database, reporter: Reporter, name: string): Promise<ArtifactRow | null> {
  const { rows } = await sql<ArtifactRow>`
    select a.* from artifacts a
     where a.task_id = ${reporter.taskId}::uuid and a.name = ${name}
       and a.attempt = coalesce((select q.attempt from queue q join ${reporterRow(reporter)} as g on ${HOLDS}), (
         select t.attempt from attempts t
          where t.task_id = ${reporter.taskId}::uuid and t.attempt = ${reporter.attempt}::int and t.worker_id = ${reporter.workerId}
            and t.session_id = coalesce(${reporter.sessionId}::uuid, t.session_id)))`.execute(db);
  return rows[0] ?? null;
}

export type ArtifactToRecord = Pick<ArtifactRow, 'name' | 'bytes' | 'sha256' | 'content_type' | 'storage_key'>;

export type Recorded =
  | { readonly kind: 'stored'; readonly row: ArtifactRow }
  | { readonly kind: 'exists'; readonly row: ArtifactRow }
  | { readonly kind: 'full' }
  | { readonly kind: 'not_held' };

/**
 * Records a file whose bytes are safe. Two statements, so that the second sees what others had recorded before the first
 * got the lock on the queue row: the quota is exact.
 */
export async function recordArtifact(db: Database, reporter: Reporter, file: ArtifactToRecord, quota: ArtifactQuota): Promise<Recorded> {
  return db.transaction().execute(async (transaction): Promise<Recorded> => {
    const { rows: [held] } = await sql<{ attempt: number }>`
      with held as materialized (
        select q.attempt, q.worker_id, q.session_id, g.lease_seconds
          from queue q join ${reporterRow(reporter)} as g on ${HOLDS} for update of q
      ), ${RENEWS_LEASE}
      select attempt from held`.execute(transaction);
    if (held === undefined) return { kind: 'not_held' };
    const { rows: [found] } = await sql<ArtifactRow & { fresh: boolean }>`
      with stored as (
        insert into artifacts (id, task_id, attempt, name, bytes, sha256, content_type, storage_key, created_at)
        select uuid_v7(clock_timestamp()), ${reporter.taskId}::uuid, ${held.attempt}::int, ${file.name}::text, ${file.bytes}::bigint,
               ${file.sha256}::bytea, ${file.content_type}::text, ${file.storage_key}::text, clock_timestamp()
          from (select count(*) as files, coalesce(sum(bytes), 0) as bytes
                  from artifacts where task_id = ${reporter.taskId}::uuid and attempt = ${held.attempt}::int) as used
         where used.files < ${quota.files} and used.bytes + ${file.bytes}::bigint <= ${quota.bytes}::bigint
        on conflict (task_id, attempt, name) do nothing
        returning *
      )
      select *, true as fresh from stored
      union all
      select *, false from artifacts
       where task_id = ${reporter.taskId}::uuid and attempt = ${held.attempt}::int and name = ${file.name}`.execute(transaction);
    if (found === undefined) return { kind: 'full' };
    return { kind: found.fresh ? 'stored' : 'exists', row: found };
  });
}

/** Up to `limit` files after id `after`, in the order in which they were stored, of one attempt or of all. */
export async function listArtifacts(
  db: Database,
  taskId: string,
  { after, attempt, limit }: { after: string | null; attempt: number | null; limit: number },
): Promise<ArtifactRow[]> {
  const { rows } = await sql<ArtifactRow>`
    select * from artifacts
     where task_id = ${taskId}::uuid and (${after}::uuid is null or id > ${after}::uuid)
       and (${attempt}::int is null or attempt = ${attempt})
     order by id
     limit ${limit}`.execute(db);
  return rows;
}

export async function findArtifact(db: Database, taskId: string, artifactId: string): Promise<ArtifactRow | null> {
  const { rows } = await sql<ArtifactRow>`
    select * from artifacts where id = ${artifactId}::uuid and task_id = ${taskId}::uuid`.execute(db);
  return rows[0] ?? null;
}

/** The contract's artifact of a row. */
export function toArtifact(row: ArtifactRow): components['schemas']['Artifact'] {
  return {
    id: row.id,
    task_id: row.task_id,
    attempt: row.attempt,
    name: row.name,
    bytes: row.bytes,
    sha256: row.sha256.toString('hex'),
    content_type: row.content_type,
    created_at: row.created_at.toISOString(),
  };
}
