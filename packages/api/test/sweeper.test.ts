/** A round of the sweeper: what it costs where there is nothing to do. What each step of it does is tested with what it is about. */
import { expect } from 'chai';
import { submitTask } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { NO_SWEEPS, testSweeper, type Sweep } from './support/sweeper.js';

describe('a round of the sweeper', () => {
  let api: TestApi;
  let sweep: Sweep;
  let statements = 0;
  before(async () => {
    api = await startTestApi({}, NO_SWEEPS);
    const counted = api.db.withPlugin({
      transformQuery: ({ node }) => {
        statements += 1;
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    sweep = testSweeper(counted, api.databaseUrl);
  });
  after(() => api.stop());

  it('is one statement where there is nothing to do', async () => {
    await submitTask(api, { problem_id: 'waits', run_at: '2100-01-01T00:00:00Z' });
    await submitTask(api, { problem_id: 'expires', expires_at: '2100-01-01T00:00:00Z' });
    // Folds what the submissions counted.
    await sweep();
    statements = 0;
    await sweep();
    expect(statements).to.equal(1);
  });
});
