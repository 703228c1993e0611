/** Claims of workers that may take nothing, since they are full or drain: they hang, and hold up nobody. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

/** So many that a task which each of them held up until the next poll, in seconds, would not reach anybody while a claim waits. */
const HANGING = 40;
const WAIT = { wait_seconds: 30 };

describe('claims of workers without room', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api.stop());

  const seen = async (worker: TestWorker): Promise<{ claims: number; at: Date }> => {
    const { rows: [row] } = await sql<{ claims: number; at: Date }>`select claim_seq as claims, last_seen_at as at from workers where id = ${worker.id}`.execute(api.db);
    return row!;
  };
  /** Claims that have looked, and hang. */
  const hang = async (worker: TestWorker, claims: number): Promise<Promise<Answer>[]> => {
    const before = await seen(worker);
    const answers = Array.from({ length: claims }, () => worker.claim(WAIT));
    await eventually(async () => {
      const now = await seen(worker);
      // Of one that knows that there is nothing, a heartbeat is all that is seen.
      return now.claims >= before.claims + claims || (claims === 1 && now.at > before.at);
    });
    return answers;
  };

  for (const [why, prepare] of [
    ['full', async (worker: TestWorker, problem: string) => {
      await submitTask(api, { problem_id: problem });
      expect((await worker.claim()).status).to.equal(200);
    }],
    ['draining', (worker: TestWorker) => api.call('POST', `/api/v1/workers/${worker.id}/drain`)],
  ] as const) {
    it(`leave a task to another worker where theirs is ${why}`, async () => {
      const problem = `without-room-${why}`;
      const worker = await TestWorker.register(api, { globs: [problem] });
      await prepare(worker, problem);
      const hanging = await hang(worker, HANGING);
      const other = await TestWorker.register(api, { globs: [problem] });
      const [claimed] = await hang(other, 1);
      const task = await submitTask(api, { problem_id: problem });
      expect((await claimed)!.body.id).to.equal(task);
      await worker.leave();
      expect((await Promise.all(hanging)).map(({ status }) => status)).to.not.include(200);
    });
  }

  it('take a task once there is room', async () => {
    const worker = await TestWorker.register(api, { globs: ['room-again'] });
    await submitTask(api, { problem_id: 'room-again' });
    const held = await worker.claim();
    const [claimed] = await hang(worker, 1);
    const task = await submitTask(api, { problem_id: 'room-again' });
    await worker.report('complete', held.body.id, {});
    expect((await claimed)!.body.id).to.equal(task);
  });
});
