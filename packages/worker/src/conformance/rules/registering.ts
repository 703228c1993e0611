/** R: a worker registers, also where the API is away at first, and shows its session from then on. */
import { problem } from '../model.js';
import type { Scenario } from '../rule.js';

const RETRY_AFTER_SECONDS = 1;

export const registering: readonly Scenario[] = [
  {
    level: 'basic',
    rules: {
      R1: 'registers with its backend_type, as JSON',
      R2: 'repeats a registration that was not answered, and waits for Retry-After',
      R3: 'sends Worker-Session with every call after its registration',
      R4: 'makes no call that is not in the contract',
    },
    play: async (bench) => {
      const { api } = bench;
      api.script('register', 'cut', problem('database_unavailable', {}, { 'retry-after': String(RETRY_AFTER_SECONDS) }));
      await bench.program.start();
      const [first, second, third] = await bench.untilCalls('register', 3);
      if (first === undefined || second === undefined || third === undefined) return;
      bench.judge('R1', typeof first.body.backend_type === 'string' && first.contentType?.startsWith('application/json') === true,
        `registered with ${JSON.stringify(first.body)} as ${first.contentType ?? 'nothing'}`);
      const waited = (third.at - second.at) / 1000;
      bench.judge('R2', waited >= RETRY_AFTER_SECONDS * 0.95, `came back after ${waited.toFixed(2)} s, asked for ${RETRY_AFTER_SECONDS}`);
      const task = await bench.run({ duration_seconds: 0, max_steps: 1 });
      await bench.until('the end of the task', () => api.model.ended.has(`${task.id}/1`));
      await bench.untilCalls('heartbeat');
      const bare = api.calls.find((call) => !['register', 'other'].includes(call.operation) && call.session !== api.model.sessions.get(call.workerId)?.session);
      bench.judge('R3', bare === undefined, `${bare?.operation ?? ''} came with ${bare?.session ?? 'no Worker-Session'}`);
      const other = api.of('other')[0];
      bench.judge('R4', other === undefined, `called ${other?.method ?? ''} ${other?.path ?? ''}`);
    },
  },
];
