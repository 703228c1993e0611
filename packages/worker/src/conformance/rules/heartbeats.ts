/** H: heartbeats are sent whatever else the worker does, name what it runs, and their directives are obeyed. */
import { INTERVAL_SECONDS, LEASE_SECONDS, LONG_SECONDS, names, type Bench } from '../bench.js';
import { REPORTS, type Call } from '../call.js';
import { problem, type GivenTask } from '../model.js';
import type { Scenario } from '../rule.js';

/** The longest time without a heartbeat among `calls`, in seconds. */
function longestGap(calls: readonly Call[]): number {
  return Math.max(0, ...calls.slice(1).map((call, index) => (call.at - (calls[index]?.at ?? 0)) / 1000));
}

/** Whether the worker stops a task that it is told to stop by `tell`: it has room again, so it claims, and says nothing. */
async function stops(bench: Bench, rule: string, tell: (task: GivenTask) => void): Promise<void> {
  const task = await bench.runLong();
  const claims = bench.claims.length;
  tell(task);
  const next = bench.api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
  await bench.until('another claim, after the task was to be stopped', () => bench.claims.length > claims && bench.api.model.ended.has(`${next.id}/1`));
  const [report] = bench.reports(task);
  bench.judge(rule, report === undefined, `said ${report?.operation ?? ''} of a task that it was to stop`);
}

export const heartbeats: readonly Scenario[] = [
  {
    level: 'basic',
    rules: {
      H1: 'sends heartbeats often enough for its lease, idle and busy',
      H2: 'names the attempts that it runs',
      H3: 'stops a task that was cancelled, and reports nothing of it',
    },
    play: async (bench) => {
      await bench.program.start();
      await bench.untilCalls('heartbeat', 3);
      await stops(bench, 'H3', (task) => {
        bench.judge('H2', bench.api.of('heartbeat').some((call) => names(call, task)), 'no heartbeat named the task');
        bench.api.cancel(task);
      });
      const gap = longestGap(bench.api.of('heartbeat'));
      bench.judge('H1', gap < LEASE_SECONDS, `${gap.toFixed(1)} s between two heartbeats, with a lease of ${LEASE_SECONDS}`);
    },
  },
  {
    level: 'basic',
    rules: { H4: 'stops a task that it does not hold any more (lost), and reports nothing of it' },
    play: async (bench) => {
      await bench.program.start();
      await stops(bench, 'H4', (task) => {
        bench.api.model.takeBack(task.id);
        bench.api.model.directives.lost.push({ task_id: task.id, attempt: task.attempt, reason: 'pending' });
        bench.api.look();
      });
    },
  },
  {
    level: 'full',
    rules: {
      H5: 'goes on with what runs while heartbeats fail',
      H6: 'sends heartbeats also while a report is not answered',
    },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      await bench.untilCalls('heartbeat');
      const task = await bench.run({ duration_seconds: 3 * INTERVAL_SECONDS, max_steps: 3 });
      api.script('heartbeat', problem('database_unavailable'), 'cut');
      api.always(REPORTS, 'hang');
      await bench.until('the report of a task during which heartbeats had failed', () => bench.reports(task).length > 0);
      bench.judge('H5', bench.reports(task)[0]?.operation === 'complete', `said ${bench.reports(task)[0]?.operation ?? 'nothing'} of it`);
      const before = api.of('heartbeat').length;
      await bench.until('heartbeats while a report hangs', () => api.of('heartbeat').length >= before + 3);
      bench.judge('H6', true, '');
    },
  },
  {
    level: 'full',
    rules: { H7: 'lets heartbeats hang, and stops a cancelled task before the next one would be due' },
    play: async (bench) => {
      const { api } = bench;
      // Only an answer that comes at once is in time.
      api.model.intervalSeconds = 100;
      api.model.leaseSeconds = 300;
      await bench.program.start();
      await bench.untilCalls('heartbeat');
      const task = await bench.run({ duration_seconds: 600, max_steps: 10 });
      await bench.until('a heartbeat that hangs and names the task', () => api.of('heartbeat').some((call) => Number(call.body.wait_seconds ?? 0) > 0 && names(call, task)));
      const claims = bench.claims.length;
      api.cancel(task);
      await bench.until('another claim, after the task was cancelled', () => bench.claims.length > claims);
      bench.judge('H7', bench.reports(task).length === 0, 'reported a task that was cancelled');
    },
  },
  {
    level: 'full',
    rules: { H8: 'claims nothing while it is drained, and claims again when it is resumed' },
    play: async (bench) => {
      const { api } = bench;
      await bench.program.start();
      await bench.untilClaims();
      const task = await bench.run({ duration_seconds: 4 * INTERVAL_SECONDS, max_steps: 2 });
      api.model.directives.drain = true;
      api.look();
      const drained = performance.now();
      await bench.until('a heartbeat during the drain', () => api.of('heartbeat').some(({ at, status }) => at > drained && status !== null));
      await bench.until('the end of the task', () => api.model.ended.has(`${task.id}/1`));
      const claims = bench.claims.length;
      await bench.until('more heartbeats', () => api.of('heartbeat').filter((call) => !names(call, task)).length > 3);
      bench.judge('H8', bench.claims.length === claims, 'claimed while it was drained');
      api.model.directives.drain = false;
      api.look();
      await bench.until('a claim after the drain', () => bench.claims.length > claims);
    },
  },
  {
    level: 'full',
    rules: { H9: 'hands back a task that it holds and was never given (unnamed)' },
    play: async (bench) => {
      await bench.program.start();
      await bench.untilClaims();
      const [heartbeat] = await bench.untilCalls('heartbeat');
      const task = bench.api.strand(heartbeat?.workerId ?? '', { parameters: { duration_seconds: 0, max_steps: 1 } });
      await bench.until('the release of a task that it was never given', () => bench.reports(task).length > 0);
      bench.judge('H9', bench.reports(task)[0]?.operation === 'release', `said ${bench.reports(task)[0]?.operation ?? ''} of it`);
    },
  },
  {
    level: 'full',
    rules: { H10: 'says `idle` with a claim only while it runs nothing, and goes by what such a claim is told' },
    play: async (bench) => {
      const { api } = bench;
      api.model.idleClaims = { waitSeconds: LONG_SECONDS, nextWaitSeconds: LONG_SECONDS };
      await bench.program.start();
      await bench.untilClaims();
      api.model.directives.drain = true;
      api.look();
      const before = api.of('heartbeat').length;
      await bench.until('heartbeats during the drain', () => api.of('heartbeat').length > before + 2);
      const drained = bench.claims.length;
      await bench.until('more heartbeats', () => api.of('heartbeat').length > before + 5);
      bench.judge('H10', bench.claims.length === drained, 'claimed while it was drained');
      api.model.directives.drain = false;
      api.look();
      await bench.until('a claim after the drain', () => bench.claims.length > drained);
      const task = await bench.run({ duration_seconds: 4 * INTERVAL_SECONDS, max_steps: 2 });
      const begun = bench.claims.length;
      await bench.until('the end of the task', () => api.model.ended.has(`${task.id}/1`));
      const ended = bench.reports(task)[0]?.at ?? 0;
      const idle = bench.claims.slice(begun).some(({ at, body }) => at < ended && body.idle === true);
      bench.judge('H10', !idle, 'called itself idle while it ran a task');
    },
  },
];
