/**
 * The whole API against a model of it: random histories of every verb, over HTTP, from several workers and through two
 * replicas. MODEL_RUNS is how many histories, MODEL_SEED (printed where one fails) repeats them; a failing history is shrunk to
 * one that is as short as can be.
 */
import fc from 'fast-check';
import { startTestApi, type TestApi } from './support/api.js';
import { emptyDatabase } from './support/database.js';
import { NO_SWEEPS, testSweeper, type Sweep } from './support/sweeper.js';
import { History } from './model/history.js';
import { REGRESSIONS } from './model/regressions.js';
import { histories, type Step } from './model/steps.js';

const RUNS = Number(process.env.MODEL_RUNS ?? 12);
const SEED = process.env.MODEL_SEED;
/** These only bound the wait; shrinking is for the reader of a failure, who waits for it. */
const MOST_MS_PER_RUN = 30_000;
const SHRINK_MS = 60_000;

describe('the model', function () {
  this.timeout(MOST_MS_PER_RUN * 4);
  let api: TestApi;
  let urls: string[];
  let sweep: Sweep;
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '3600' }, NO_SWEEPS);
    urls = [api.url, (await api.replica()).url];
    sweep = testSweeper(api.db, api.databaseUrl);
  });
  after(() => api.stop());

  /** Throws where a step leaves the model. */
  async function live(steps: readonly Step[]): Promise<void> {
    await emptyDatabase(api.databaseUrl);
    const history = new History({ urls, db: api.db, sweep });
    for (const step of steps) await history.take(step);
  }

  /** The same until shrinking has had its time: what follows is left out, and the shortest history so far is shown. */
  let shrunkAtMs = Infinity;
  async function liveOrShrink(steps: readonly Step[]): Promise<void> {
    fc.pre(performance.now() < shrunkAtMs);
    await live(steps).catch((error: unknown) => {
      shrunkAtMs = Math.min(shrunkAtMs, performance.now() + SHRINK_MS);
      throw error;
    });
  }

  for (const [name, steps] of Object.entries(REGRESSIONS)) it(name, () => live(steps));

  it('is never left by any history', async function () {
    const mostMs = RUNS * MOST_MS_PER_RUN + SHRINK_MS;
    this.timeout(mostMs + MOST_MS_PER_RUN);
    await fc.assert(fc.asyncProperty(histories, liveOrShrink), {
      numRuns: RUNS, interruptAfterTimeLimit: mostMs, markInterruptAsFailure: true, ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    });
  });
});
