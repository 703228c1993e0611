/** C: a claim is repeated under its request_id until it is answered, and claims that get nothing are not made in a storm. */
import { CLAIMS } from '../call.js';
import type { Scenario } from '../rule.js';

const WATCH_SECONDS = 3;
const MAX_CLAIMS_PER_SECOND = 20;

export const claims: readonly Scenario[] = [
  {
    level: 'basic',
    rules: {
      C1: 'claims under a request_id, a new one for each claim',
      C2: 'repeats a claim that was not answered under the same request_id',
      C3: 'pauses between claims that are answered at once with nothing',
    },
    play: async (bench) => {
      const { api } = bench;
      api.script(CLAIMS, 'cut', 'lose');
      const task = api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
      await bench.program.start();
      const tried = await bench.untilClaims(3);
      const [first, second, third] = tried.map((call) => call.body.request_id);
      bench.judge('C2', typeof first === 'string' && first === second && second === third, `used ${JSON.stringify([first, second, third])}`);
      await bench.until('the end of the task whose claim was not answered', () => api.model.ended.has(`${task.id}/1`));
      const [, , , next] = await bench.untilClaims(4);
      bench.judge('C1', typeof next?.body.request_id === 'string' && next.body.request_id !== first, `used ${String(next?.body.request_id)} after ${String(first)}`);
      api.always('claim', { status: 204 });
      api.always('claim-batch', { status: 200, body: { tasks: [] } });
      api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
      const before = bench.claims.length;
      await bench.watch(WATCH_SECONDS);
      const rate = (bench.claims.length - before) / WATCH_SECONDS;
      bench.judge('C3', rate <= MAX_CLAIMS_PER_SECOND, `${rate.toFixed(0)} claims in a second`);
    },
  },
];
