/** D: a worker that is told to end leaves nothing behind that runs, or that nobody knows of. */
import type { Scenario } from '../rule.js';

export const leaving: readonly Scenario[] = [
  {
    level: 'basic',
    rules: {
      D1: 'at SIGTERM finishes or releases what runs, and claims nothing more',
      D2: 'deregisters, then ends',
    },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = await bench.run({ duration_seconds: 2, max_steps: 2 });
      bench.program.signal('SIGTERM');
      await bench.until('the end of the task', () => api.model.ended.has(`${task.id}/1`));
      await bench.ended();
      const reported = bench.reports(task)[0]?.at ?? 0;
      const claim = bench.claims.find((call) => call.at > reported);
      bench.judge('D1', claim === undefined, 'claimed after the signal');
      bench.judge('D2', api.calls.some((call) => call.operation === 'leave' && call.status === 204), 'ended without deregistering');
    },
  },
  {
    level: 'full',
    rules: {
      D3: 'at the first SIGTERM finishes what runs',
      D4: 'at the second SIGTERM releases what runs, at once',
    },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = await bench.runLong();
      bench.program.signal('SIGTERM');
      const before = api.of('heartbeat').length;
      await bench.until('heartbeats while it drains', () => api.of('heartbeat').length > before + 1);
      bench.judge('D3', bench.reports(task).length === 0, `said ${bench.reports(task)[0]?.operation ?? ''} instead`);
      bench.program.signal('SIGTERM');
      const ended = await bench.until('the release', () => api.model.ended.get(`${task.id}/1`));
      await bench.ended();
      bench.judge('D4', ended.verb === 'release', `said ${ended.verb}`);
    },
  },
];
