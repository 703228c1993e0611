/**
 * Idempotency keys: a creation and its key are stored in one transaction, with the answer, for ever. A second request with a
 * key waits for the first one's end (the unique index makes it), and then finds the answer.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { canonicalJson } from './canonical.js';

/** What was answered to the first request with a key. */
export interface KeptAnswer {
  readonly status: number;
  readonly location: string | null;
  /** JSON, as it was sent. */
  readonly answer: string;
}

/** Thrown where a key came before with another request. */
export class KeyReused extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`the key "${key}" came before with another request`);
    this.key = key;
  }
}

/** A request with a key: what is asked for (method and path), and its body. */
export interface KeyedRequest {
  readonly key: string;
  readonly operation: string;
  readonly body: unknown;
}

function hashOf({ operation, body }: KeyedRequest): Buffer {
  return createHash('sha256').update(operation).update('\n').update(canonicalJson(body ?? null)).digest();
}

/**
 * Takes the keys of `requests` in a transaction. For each the answer that it has already, or null where it is new and to be
 * answered with `keepAnswers` in the same transaction. @throws KeyReused
 */
export async function takeKeys(transaction: Database, requests: readonly KeyedRequest[]): Promise<(KeptAnswer | null)[]> {
  if (requests.length === 0) return [];
  const keys = requests.map(({ key }) => key);
  const { rows: taken } = await sql<{ key: string }>`
    insert into idempotency_keys (key, operation, body_hash, created_at)
    select key, operation, decode(hash, 'hex'), now()
      from unnest(${keys}::text[], ${requests.map(({ operation }) => operation)}::text[],
                  ${requests.map((request) => hashOf(request).toString('hex'))}::text[]) as r (key, operation, hash)
     order by key
    on conflict do nothing
    returning key`.execute(transaction);
  const isNew = new Set(taken.map(({ key }) => key));
  const old = keys.filter((key) => !isNew.has(key));
  if (old.length === 0) return keys.map(() => null);
  const { rows } = await sql<{ key: string; operation: string; body_hash: Buffer } & KeptAnswer>`
    select key, operation, body_hash, status, location, answer from idempotency_keys where key = any (${old}::text[])`.execute(transaction);
  const known = new Map(rows.map((row) => [row.key, row]));
  return requests.map((request) => {
    const row = known.get(request.key);
    if (row === undefined) return null;
    if (row.operation !== request.operation || !row.body_hash.equals(hashOf(request))) throw new KeyReused(request.key);
    return { status: row.status, location: row.location, answer: row.answer };
  });
}

/** Keeps the answers of keys that were taken as new in the same transaction. */
export async function keepAnswers(transaction: Database, answers: readonly ({ readonly key: string } & KeptAnswer)[]): Promise<void> {
  if (answers.length === 0) return;
  const { rows } = await sql`
    update idempotency_keys k set status = a.status, location = a.location, answer = a.answer
      from json_to_recordset(${JSON.stringify(answers)}::json) as a (key text, status smallint, location text, answer text)
     where k.key = a.key and k.status is null
    returning k.key`.execute(transaction);
  if (rows.length !== answers.length) throw new Error('an idempotency key was answered twice');
}
