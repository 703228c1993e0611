/**
 * What the live fleet can take, remembered for a second: enough to say of a pending task whether any live worker fits it,
 * without a query for each. Never used to decide who gets a task.
 */
import { sql } from 'kysely';
import { supportsProblem } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import type { Claimable } from '../queue/task.js';

const FRESH_MS = 1_000;

interface Capability {
  backend_type: string;
  supported_problems: string[];
}

export class Capabilities {
  #known: Promise<Capability[]> | null = null;
  #readAt = 0;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A predicate over tasks, from a reading at most a second old. */
  async claimable(): Promise<Claimable> {
    const now = performance.now();
    if (this.#known === null || now - this.#readAt > FRESH_MS) {
      this.#readAt = now;
      this.#known = this.#read();
      this.#known.catch(() => {
        this.#known = null;
      });
    }
    const known = await this.#known;
    return (task) => known.some((capability) =>
      (task.backend_type === null || task.backend_type === '' || task.backend_type === capability.backend_type)
      && supportsProblem(capability.supported_problems, task.problem_id));
  }

  /** Makes the next question read anew; for after a registration. */
  forget(): void {
    this.#known = null;
  }

  async #read(): Promise<Capability[]> {
    const { rows } = await sql<Capability>`
      select distinct backend_type, supported_problems from workers where ended_at is null and lease_until > now()`.execute(this.#db);
    return rows;
  }
}
