/**
 * What a session may claim, as it was read once: it seldom changes. Whether it still holds, and the session lives, is for the
 * statements to find out.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { workerOf } from './look-up.js';

const MAX_KNOWN = 50_000;

export interface SessionFacts {
  readonly sessionId: string;
  readonly backendType: string;
  /** Globs over problem ids; none means all. */
  readonly supportedProblems: readonly string[];
}

/** A worker, and its session; null stands for the current one. */
export interface AskedSession {
  readonly workerId: string;
  readonly sessionId: string | null;
}

/** The sessions, in the order of `asked`; null where one is not the current one of its worker. */
export async function readSessions(db: Database, asked: readonly AskedSession[]): Promise<(SessionFacts | null)[]> {
  const { rows } = await sql<{ n: number; session_id: string; backend_type: string; supported_problems: string[] }>`
    select a.n::int as n, w.session_id, w.backend_type, w.supported_problems
      from unnest(${asked.map(({ workerId }) => workerId)}::text[], ${asked.map(({ sessionId }) => sessionId)}::uuid[])
           with ordinality as a (worker_id, session_id, n)
     cross join lateral ${workerOf('a')} as w`.execute(db);
  const found = asked.map((): SessionFacts | null => null);
  for (const { n, session_id, backend_type, supported_problems } of rows) {
    found[n - 1] = { sessionId: session_id, backendType: backend_type, supportedProblems: supported_problems };
  }
  return found;
}

export class Sessions {
  readonly #known = new Map<string, SessionFacts>();
  /** The latest session of a worker that was read. */
  readonly #current = new Map<string, SessionFacts>();
  readonly #read: (asked: AskedSession) => Promise<SessionFacts | null>;

  /** `read`: as readSessions, for one. */
  constructor(read: (asked: AskedSession) => Promise<SessionFacts | null>) {
    this.#read = read;
  }

  /** The session of a worker (null: its current one), or null where it was not the worker's current one when it was read. */
  async find(workerId: string, sessionId: string | null): Promise<SessionFacts | null> {
    const known = sessionId === null ? this.#current.get(workerId) : this.#known.get(`${workerId} ${sessionId}`);
    if (known !== undefined) return known;
    const facts = await this.#read({ workerId, sessionId });
    if (facts === null) return null;
    if (this.#known.size >= MAX_KNOWN) {
      this.#known.clear();
      this.#current.clear();
    }
    this.#known.set(`${workerId} ${facts.sessionId}`, facts);
    this.#current.set(workerId, facts);
    return facts;
  }

  /** What was read of a session holds no more. */
  forget(workerId: string, sessionId: string): void {
    this.#known.delete(`${workerId} ${sessionId}`);
    this.#current.delete(workerId);
  }
}
