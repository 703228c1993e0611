/**
 * What a session may claim, as it was read once: it seldom changes. Whether it still holds, and the session lives, is for the
 * statements to find out.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

const MAX_KNOWN = 50_000;

export interface SessionFacts {
  readonly sessionId: string;
  readonly backendType: string;
  /** Globs over problem ids; none means all. */
  readonly supportedProblems: readonly string[];
}

export class Sessions {
  readonly #known = new Map<string, SessionFacts>();
  /** The latest session of a worker that was read. */
  readonly #current = new Map<string, SessionFacts>();
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The session of a worker (null: its current one), or null where it was not the worker's current one when it was read. */
  async find(workerId: string, sessionId: string | null): Promise<SessionFacts | null> {
    const known = sessionId === null ? this.#current.get(workerId) : this.#known.get(`${workerId} ${sessionId}`);
    if (known !== undefined) return known;
    const { rows } = await sql<{ session_id: string; backend_type: string; supported_problems: string[] }>`
      select session_id, backend_type, supported_problems from workers
       where id = ${workerId} and session_id = coalesce(${sessionId}::uuid, session_id)`.execute(this.#db);
    const [row] = rows;
    if (row === undefined) return null;
    const facts = { sessionId: row.session_id, backendType: row.backend_type, supportedProblems: row.supported_problems };
    if (this.#known.size >= MAX_KNOWN) {
      this.#known.clear();
      this.#current.clear();
    }
    this.#known.set(`${workerId} ${row.session_id}`, facts);
    this.#current.set(workerId, facts);
    return facts;
  }

  /** What was read of a session holds no more. */
  forget(workerId: string, sessionId: string): void {
    this.#known.delete(`${workerId} ${sessionId}`);
    this.#current.delete(workerId);
  }
}
