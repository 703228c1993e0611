/** Looks at the database while everything is under way: what must hold in any snapshot must hold in the middle of a fault, too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { breaches, INVARIANTS } from '../../../packages/api/test/support/invariants.js';
import type { Postgres } from '../cast/postgres.js';
import { monotonicMs } from '../clock.js';
import type { Sample } from './evidence.js';

const PAUSE_MS = 4_000;

export class Sampler {
  readonly samples: Sample[] = [];
  readonly #postgres: Postgres;

  constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  /** Until `stop` aborts. A look that a crash cuts off is none. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await sleep(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
      const found = await this.#postgres.withClient((client) => breaches((text) => client.query(text), INVARIANTS)).catch(() => null);
      if (found !== null) this.samples.push({ at: monotonicMs(), breaches: found });
    }
  }
}
