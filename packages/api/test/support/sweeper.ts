/**
 * A sweeper that sweeps when a test says so, made of the parts of a replica. The APIs beside it have NO_SWEEPS, so that time,
 * which the test moves in the database, has its effects when the test wants them.
 */
import { pino, type Logger } from 'pino';
import { Aftermath } from '../../src/aftermath.js';
import { bulkOperations, schedules } from '../../src/sweeping/chores.js';
import { readConfig, type ApiConfig } from '../../src/config.js';
import type { Database } from '../../src/db/database.js';
import { Listener } from '../../src/db/listener.js';
import { Follows } from '../../src/waiting/follows.js';
import { createMetrics } from '../../src/metrics.js';
import { Readiness } from '../../src/queue/readiness.js';
import { Sweeper, type Chore } from '../../src/sweeping/sweeper.js';
import { Presence } from '../../src/waiting/presence.js';
import { Wakeups } from '../../src/waiting/wakeups.js';
import { Watches } from '../../src/waiting/watches.js';

/** Settings of an API whose own sweeper never comes to its first round. */
export const NO_SWEEPS: Partial<ApiConfig> = { sweepIntervalMs: 2 ** 30 };

/** Tasks that a bulk operation looks at in one round: few, so that others come between its pieces. */
export const BULK_PIECE = 2;

/** One round; throws where a step of it failed. */
export type Sweep = () => Promise<void>;

/** What a sweeper is made of, but for what it does each time. */
function partsOf(db: Database, databaseUrl: string, log: Logger, presence = new Presence({ maxGapMs: 60_000 })): Omit<ConstructorParameters<typeof Sweeper>[0], 'chores'> {
  // Never started: nobody waits for the hints of this replica.
  const listener = new Listener(databaseUrl, log);
  const metrics = createMetrics();
  const aftermath = new Aftermath({
    db, wakeups: new Wakeups(db, listener, log), watches: new Watches(listener), follows: new Follows(db, listener, log),
    readiness: new Readiness(db), metrics, log,
  });
  return { db, aftermath, metrics, log, presence, intervalMs: 0, leaseSeconds: 0 };
}

/** A sweeper whose rounds, once it is started, follow each other at once. */
export function sweeperOf(db: Database, databaseUrl: string, chores: readonly Chore[]): Sweeper {
  return new Sweeper({ ...partsOf(db, databaseUrl, pino({ level: 'silent' })), leaseSeconds: 60, chores });
}

export function testSweeper(db: Database, databaseUrl: string, presence?: Presence): Sweep {
  let failed: string | null = null;
  // A sweeper logs the failure of a step and goes on.
  const log = pino({ level: 'warn' }, {
    write(line: string) {
      if (/sweep_failed|schedule_failed|bulk_operation_failed|aftermath_failed/.test(line)) failed = line;
    },
  });
  const parts = partsOf(db, databaseUrl, log, presence);
  const withConfig = { ...parts, config: readConfig({}) };
  const sweeper = new Sweeper({ ...parts, chores: [schedules(withConfig), bulkOperations(withConfig, { maxPieces: 1, maxTasks: BULK_PIECE })] });
  return async () => {
    failed = null;
    await sweeper.sweep();
    if (failed !== null) throw new Error(failed);
  };
}
