/**
 * Why pending tasks that wait for nothing of their own are not running: what the live fleet takes, what is paused and which
 * limits are full, remembered for a second; enough to give the tasks of a list their reason without a query for each.
 * Never used to decide who gets a task.
 */
import { sql } from 'kysely';
import { supportsProblem } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { isLive } from '../fleet/look-up.js';
import { LIMIT_USE, UNFIT } from './eligible.js';
import { LABEL_PREFIX } from './limited-labels.js';
import type { ReadyReason } from './task.js';

const FRESH_MS = 1_000;

interface Known {
  workers: { backend_type: string; supported_problems: string[] }[];
  paused: string[];
  full: { key: string; value: string }[];
  limited: boolean;
}

export class Readiness {
  #known: Promise<Known> | null = null;
  #readAt = 0;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The reason of any ready task, from a reading at most a second old. */
  async reasons(): Promise<ReadyReason> {
    const { workers, paused, full } = await this.#read();
    const pausedProblems = new Set(paused);
    return ({ problem_id: problem, backend_type: backend, labels }) => {
      if (pausedProblems.has('') || pausedProblems.has(problem)) return 'paused';
      const fitting = workers.filter((worker) =>
        (backend === null || backend === worker.backend_type) && supportsProblem(worker.supported_problems, problem));
      if (fitting.length === 0) return 'unclaimable';
      const isFull = (key: string, value: string | undefined): boolean => full.some((one) => one.key === key && one.value === value);
      const limited = isFull('problem_id', problem) || fitting.every((worker) => isFull('backend_type', worker.backend_type))
        || full.some(({ key, value }) => key.startsWith(LABEL_PREFIX) && labels[key.slice(LABEL_PREFIX.length)] === value);
      return limited ? 'limited' : 'ready';
    };
  }

  /** Whether there are limits, so that the end of a task may let another one run. */
  async hasLimits(): Promise<boolean> {
    return (await this.#read()).limited;
  }

  /** Makes the next question read anew; for after a change by this replica. */
  forget(): void {
    this.#known = null;
  }

  #read(): Promise<Known> {
    const now = performance.now();
    if (this.#known !== null && now - this.#readAt <= FRESH_MS) return this.#known;
    this.#readAt = now;
    const reading = readKnown(this.#db);
    this.#known = reading;
    reading.catch(() => {
      if (this.#known === reading) this.#known = null;
    });
    return reading;
  }
}

async function readKnown(db: Database): Promise<Known> {
  const { rows } = await sql<Known>`
    with ${LIMIT_USE}
    select coalesce((select json_agg(w) from (
             select distinct s.backend_type, s.supported_problems from workers s
              where ${isLive('s')} and s.draining_at is null and ${UNFIT} is null) as w), '[]') as workers,
           coalesce((select json_agg(problem_id) from pauses), '[]') as paused,
           coalesce((select json_agg(json_build_object('key', key, 'value', value))
                       from limit_use where running >= max_running), '[]') as full,
           exists (select from limits) as limited`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('reading the state of the fleet gave no row');
  return row;
}
