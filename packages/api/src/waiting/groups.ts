/** The calls that are coalesced (see db/coalesce), one group for each kind. */
import type { ApiConfig } from '../config.js';
import { Coalescer } from '../db/coalesce.js';
import type { Databases } from '../db/database.js';
import { isDatabaseUnavailable, isDeadlock } from '../db/errors.js';
import { findWorkers } from '../fleet/find.js';
import { renewLeases, type Beat, type Renewed } from '../fleet/heartbeat.js';
import { readSessions, type AskedSession, type SessionFacts } from '../fleet/sessions.js';
import type { WorkerRow } from '../fleet/worker.js';
import type { ClaimRequest } from '../queue/claim-parts.js';
import { claim, claimMemory, type ClaimResult } from '../queue/claim.js';
import { directivesFor, type Directives, type Running } from '../queue/directives.js';
import { findTasks } from '../queue/find.js';
import { Front } from '../queue/front.js';
import { report, type Reported, type ReportItem } from '../queue/report.js';
import { submitPlain } from '../queue/submit-plain.js';
import type { Submission } from '../queue/submission.js';
import type { Submitted } from '../queue/submit.js';
import type { TaskRow } from '../queue/task.js';
import { keyOf } from './appetite.js';
import type { Presence } from './presence.js';

/** How many calls of one kind may wait; more are told to come again. */
const MAX_WAITING = 20_000;
/** Two: while one batch is written to disk, the next is under way. */
const MAX_RUNNING = 2;
/** How many tasks one statement submits, claims, ends or reads, unless a single call is about more. */
const MAX_TASKS = 200;
const MAX_APPETITES = 1_000;
/** What a worker is told with its heartbeats may wait a third of a second: ten thousand workers then cost a few statements a second. */
const HEARTBEATS = { spacing: { ms: 333, burst: 20 }, maxWeight: 1_000 };

const BOUNDS = {
  failsAll: (error: unknown): boolean => isDatabaseUnavailable(error) && !isDeadlock(error),
  maxRunning: MAX_RUNNING,
  maxWaiting: MAX_WAITING,
  maxWeight: MAX_TASKS,
};

export class Groups {
  /** Plain tasks, see queue/submit-plain. */
  readonly submissions: Coalescer<Submission, Submitted>;
  readonly reports: Coalescer<ReportItem, Reported | null>;
  /** Tasks as they now are. */
  readonly reads: Coalescer<string, TaskRow | null>;
  /** Heartbeats, and claims that need not look for tasks; null where no session is live. */
  readonly beats: Coalescer<Beat, Renewed | null>;
  readonly directives: Coalescer<Running, Directives>;
  readonly workers: Coalescer<string, WorkerRow | null>;
  readonly sessions: Coalescer<AskedSession, SessionFacts | null>;
  readonly #claims = new Map<string, Coalescer<ClaimRequest, ClaimResult>>();
  readonly #front = new Front();
  readonly #databases: Databases;

  constructor({ config, databases, presence }: { config: ApiConfig; databases: Databases; presence: Presence }) {
    this.#databases = databases;
    const { general, heartbeats, reports } = databases;
    this.submissions = new Coalescer({
      ...BOUNDS,
      run: async (tasks) => (await submitPlain(general, config.priorityAgeingMs, tasks)).map(
        (row): Submitted => ({ rows: [row], created: [true], parentsEnded: false }),
      ),
    });
    this.reports = new Coalescer({ ...BOUNDS, run: (items) => report(reports, items) });
    this.beats = new Coalescer({
      ...BOUNDS, ...HEARTBEATS, run: (beats) => presence.writing(() => renewLeases(heartbeats, config.leaseSeconds, beats)),
    });
    this.directives = new Coalescer({
      ...BOUNDS, ...HEARTBEATS, weigh: ({ named }) => 1 + named.length, run: (running) => directivesFor(heartbeats, running),
    });
    this.workers = new Coalescer({ ...BOUNDS, ...HEARTBEATS, run: (ids) => findWorkers(heartbeats, ids) });
    this.reads = new Coalescer({ ...BOUNDS, run: (ids) => findTasks(reports, ids) });
    this.sessions = new Coalescer({ ...BOUNDS, run: (asked) => readSessions(databases.lease, asked) });
  }

  /** The claims of sessions that take the same tasks. */
  claimsOf({ backendType, supportedProblems }: SessionFacts): Coalescer<ClaimRequest, ClaimResult> {
    const appetite = keyOf({ globs: supportedProblems, backendType });
    const known = this.#claims.get(appetite);
    if (known !== undefined) return known;
    const memory = claimMemory(this.#front);
    const claims = new Coalescer<ClaimRequest, ClaimResult>({
      ...BOUNDS,
      weigh: ({ wanted }) => wanted,
      run: (requests, settle) => claim(this.#databases.lease, requests, supportedProblems, memory, settle),
    });
    // A coalescer dropped here still answers the calls waiting in it.
    if (this.#claims.size >= MAX_APPETITES) this.#claims.clear();
    this.#claims.set(appetite, claims);
    return claims;
  }
}
