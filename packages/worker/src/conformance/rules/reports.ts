/** P and L: a task ends with one report, repeated until there is a definite answer; its log comes before, each line once. */
import { isDeepStrictEqual } from 'node:util';
import { REPORTS } from '../call.js';
import { problem } from '../model.js';
import type { Scenario } from '../rule.js';

export const reports: readonly Scenario[] = [
  {
    level: 'basic',
    rules: {
      P1: 'completes a task with a JSON object, under Task-Attempt',
      P2: 'repeats a report unchanged until it is answered, and then no more',
      P3: 'fails a task that fails, with an error in words',
      L1: 'sends the log before the report, and counts its offset',
    },
    play: async (bench) => {
      const { api } = bench;
      api.script(REPORTS, 'cut', 'lose', problem('database_unavailable'));
      await bench.program.start();
      const task = await bench.run({ duration_seconds: 0, max_steps: 3 });
      await bench.until('four tries of a report', () => bench.reports(task).length >= 4);
      const failing = await bench.run({ duration_seconds: 0, max_steps: 1, fail: true, error: 'as asked' });
      await bench.until('the end of a task that fails', () => api.model.ended.has(`${failing.id}/1`));
      const tries = bench.reports(task);
      bench.judge('P1', tries[0]?.operation === 'complete' && tries[0].attempt === 1, `said ${tries[0]?.operation ?? ''} with Task-Attempt ${tries[0]?.attempt ?? 'absent'}`);
      const words = new Set(tries.map((call) => `${call.operation} ${JSON.stringify(call.body)}`));
      bench.judge('P2', tries.length === 4 && words.size === 1, `${tries.length} calls with ${words.size} contents`);
      const failure = api.model.ended.get(`${failing.id}/1`);
      bench.judge('P3', failure?.verb === 'fail' && typeof failure.body.error === 'string' && failure.body.error !== '', `said ${failure?.verb ?? ''} ${JSON.stringify(failure?.body)}`);
      const logs = api.of('logs').filter((call) => call.taskId === task.id);
      const late = logs.find((call) => call.at > (tries[0]?.at ?? 0));
      const counted = logs.every((call) => typeof call.body.offset === 'number');
      bench.judge('L1', logs.length === 0 ? null : late === undefined && counted, late === undefined ? 'a batch without offset' : 'a batch after the report');
    },
  },
  {
    level: 'basic',
    rules: { L2: 'repeats a log batch that was not answered, so that each line is there once' },
    play: async (bench) => {
      const { api } = bench;
      api.script('logs', 'lose', 'cut', problem('database_unavailable'));
      await bench.program.start();
      const task = await bench.run({ duration_seconds: 0, max_steps: 3 });
      const ended = await bench.until('the end of the task', () => api.model.ended.get(`${task.id}/1`));
      const said = new Set(api.of('logs').flatMap((call) => ((call.body.entries ?? []) as { message: string }[]).map((entry) => entry.message)));
      bench.judge('L2', said.size === 0 ? null : isDeepStrictEqual([...said], ended.lines), `of ${JSON.stringify([...said])} the log holds ${JSON.stringify(ended.lines)}`);
    },
  },
  {
    level: 'basic',
    rules: { P4: 'drops a report that gets 409 attempt_not_held, and goes on' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      const task = api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
      api.script(REPORTS, () => {
        api.model.takeBack(task.id);
      });
      await bench.until('a report', () => bench.reports(task).length > 0);
      const next = await bench.run({ duration_seconds: 0, max_steps: 1 });
      await bench.until('the end of the next task', () => api.model.ended.has(`${next.id}/1`));
      bench.judge('P4', bench.reports(task).length === 1, `sent it ${bench.reports(task).length} times`);
    },
  },
  {
    level: 'full',
    rules: { P5: 'fails a task whose result the API refuses' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      // Of many, the refusal is about the whole call, and then about the one that is sent by itself, in whichever form.
      for (const operation of ['complete', 'report', 'report'] as const) api.script(operation, problem('unstorable_json'));
      const task = await bench.run({ duration_seconds: 0, max_steps: 1 });
      const ended = await bench.until('the end of the task', () => api.model.ended.get(`${task.id}/1`));
      bench.judge('P5', ended.verb === 'fail', `said ${ended.verb}`);
    },
  },
];
