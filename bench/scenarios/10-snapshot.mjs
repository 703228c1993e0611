/** A snapshot held open, as by a dump or a report: vacuum cannot clean up behind the queue. Throughput with it against without. */
import { withSystem } from '../lib/compare.mjs';
import { submitAndDrain } from '../lib/loads.mjs';
import { rowOf, target } from '../lib/report.mjs';

export const title = 'a snapshot held open while tasks are submitted and drained';

export async function run(context) {
  const { sizes, undo, say } = context;
  const seconds = sizes.snapshotSeconds;
  const { warmUpSeconds } = sizes;
  return withSystem(context, async (system) => {
    say(`${seconds} s without`);
    const without = lateRate(await submitAndDrain(system, { seconds, warmUpSeconds, undo }));
    const client = await system.database.connect();
    try {
      await client.query('begin isolation level repeatable read read only');
      await client.query('select count(*) from queue');
      say(`${seconds} s with a snapshot held`);
      const held = lateRate(await submitAndDrain(system, { seconds, undo }));
      await client.query('rollback');
      return {
        rows: [rowOf('no snapshot', 'tasks/s', [without]), rowOf('snapshot held', 'tasks/s', [held])],
        targets: [target('with the snapshot at least 80 % of the throughput', { value: (held.value / without.value) * 100, atLeast: 80, unit: ' %' })],
        notes: [`single submissions over 50 connections, one worker process, ${seconds} s each; the rate is that of the last third`],
      };
    } finally {
      client.release();
    }
  });
}

/** Tasks done per second in the last third of the submission: what a snapshot costs grows with its age. */
function lateRate(result) {
  const from = result.submitSeconds * 2 / 3;
  const inside = result.progress.filter(([at]) => at >= from && at <= result.submitSeconds);
  const [first, last] = [inside[0], inside.at(-1)];
  const value = inside.length < 2 || last[0] === first[0] ? result.ops / result.seconds : (last[1] - first[1]) / (last[0] - first[0]);
  return { ...result, value };
}
