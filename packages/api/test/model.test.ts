/**
 * The whole API against a model of it: random histories of every verb, over HTTP, from several workers and through two
 * replicas. MODEL_RUNS is how many histories, MODEL_SEED (printed where one fails) repeats them; a failing history is shrunk to
 * one that is as short as can be.
 */
import fc from 'fast-check';
import { startTestApi, type TestApi } from './support/api.js';
import { emptyDatabase } from './support/database.js';
import { NO_SWEEPS, testSweeper } from './support/sweeper.js';
import { History } from './model/history.js';
import { histories } from './model/steps.js';

const RUNS = Number(process.env.MODEL_RUNS ?? 12);
const SEED = process.env.MODEL_SEED;
const SHRINK_MS = 60_000;

describe('the model', () => {
  let api: TestApi;
  let urls: string[];
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '3600' }, NO_SWEEPS);
    urls = [api.url, (await api.replica()).url];
  });
  after(() => api.stop());

  it('is never left by any history', async function () {
    this.timeout(RUNS * 20_000 + 2 * SHRINK_MS);
    const sweep = testSweeper(api.db, api.databaseUrl);
    const property = fc.asyncProperty(histories, async (steps) => {
      await emptyDatabase(api.databaseUrl);
      const history = new History({ urls, db: api.db, sweep });
      for (const step of steps) await history.take(step);
    });
    await fc.assert(property, { numRuns: RUNS, endOnFailure: false, ...(SEED === undefined ? {} : { seed: Number(SEED) }) });
  });
});
