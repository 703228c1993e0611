/** F: a worker whose session is over, by the API's word or by its own clock, stops everything and says nothing as its owner. */
import { LEASE_SECONDS } from '../bench.js';
import { CLAIMS } from '../call.js';
import type { Scenario } from '../rule.js';

export const fencing: readonly Scenario[] = [
  {
    level: 'basic',
    rules: { F1: 'at session_ended stops what runs, reports nothing of it and registers anew' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = await bench.runLong();
      const [worker] = [...api.model.sessions.keys()];
      api.model.endSession(worker ?? '');
      api.model.pending.length = 0;
      api.look();
      await bench.untilCalls('register', 2);
      const next = await bench.run({ duration_seconds: 0, max_steps: 1 });
      await bench.until('the end of a task of the new session', () => api.model.ended.has(`${next.id}/1`));
      bench.judge('F1', bench.reports(task).length === 0, `said ${bench.reports(task)[0]?.operation ?? ''} of a task of the ended session`);
    },
  },
  {
    level: 'full',
    rules: { F2: 'when its lease has run out by its own clock, stops what runs, reports nothing of it and registers anew' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      // It would end before the next registration, were it not stopped.
      const task = await bench.run({ duration_seconds: LEASE_SECONDS + 4, max_steps: 2 });
      api.always('heartbeat', 'hang');
      api.always(CLAIMS, 'cut');
      await bench.untilCalls('register', 2);
      api.always('heartbeat', 'usual');
      api.always(CLAIMS, 'usual');
      const next = await bench.run({ duration_seconds: 5, max_steps: 1 });
      await bench.until('the end of a task of the new session', () => api.model.ended.has(`${next.id}/1`));
      // A worker that keeps its id has ended the old session by registering: the task may be its own again, in another attempt.
      const [said] = bench.reports(task).filter(({ attempt }) => attempt === null || attempt === 1);
      bench.judge('F2', said === undefined, `said ${said?.operation ?? ''} of a task whose lease had run out`);
    },
  },
  {
    level: 'full',
    rules: { F3: 'at session_superseded leaves the id to its new owner: ends, or registers without it' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = await bench.runLong();
      const [call] = api.of('heartbeat');
      if (call === undefined) return;
      api.model.register({ ...call, body: { worker_id: call.workerId } });
      api.model.pending.length = 0;
      api.look();
      let ended = false;
      void bench.ended().then(() => {
        ended = true;
        api.look();
      }, () => undefined);
      await bench.until('the end of the program, or its registration without the id', () => ended || api.of('register').length > 1);
      const again = api.of('register')[1];
      bench.judge('F3', bench.reports(task).length === 0 && again?.body.worker_id !== call.workerId, again === undefined ? 'reported a task of the superseded session' : 'took the id again');
    },
  },
];
