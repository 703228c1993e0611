/** X: what a worker has finished outlives the worker, and an API that is away. */
import { REPORTS } from '../call.js';
import type { Scenario } from '../rule.js';

export const crashes: readonly Scenario[] = [
  {
    level: 'full',
    rules: {
      X1: 'after kill -9 and a restart, delivers the report that had not been answered, under its session and attempt',
      X2: 'with the lines of the log that had not been taken, each once',
      X3: 'and does so before it registers anew',
    },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = await bench.run({ duration_seconds: 0.5, max_steps: 5 });
      api.always('logs', 'cut');
      api.always(REPORTS, 'cut');
      await bench.until('two tries of the log or the report', () => [...bench.reports(task), ...api.of('logs')].length >= 2);
      // What it says of the end of the task is on disk when it first says it; the last lines a moment later.
      await bench.watch(3);
      await bench.program.kill();
      const session = bench.claims.at(-1)?.session;
      api.always('logs', 'usual');
      api.always(REPORTS, 'usual');
      const restarted = performance.now();
      await bench.program.start();
      const ended = await bench.until('the report after the restart', () => api.model.ended.get(`${task.id}/1`));
      const report = bench.reports(task).find((call) => call.at > restarted);
      bench.judge('X1', ended.verb === 'complete' && report?.session === session && report?.attempt === 1, `said ${ended.verb} under ${report?.session ?? 'no session'}`);
      bench.judge('X2', ended.lines.length >= 5 && new Set(ended.lines).size === ended.lines.length, `the log holds ${JSON.stringify(ended.lines)}`);
      const registered = api.of('register').find((call) => call.at > restarted);
      bench.judge('X3', registered === undefined || registered.at > (report?.at ?? Infinity), 'registered first');
    },
  },
];
