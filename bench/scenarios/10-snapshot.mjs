/** A snapshot held open, as by a dump or a report: vacuum cannot clean up behind the queue. Throughput with it against without. */
import { withSystem } from '../lib/compare.mjs';
import { submitAndDrain } from '../lib/loads.mjs';
import { rowOf, target } from '../lib/report.mjs';

export const title = 'a snapshot held open while tasks are submitted and drained';

export async function run(context) {
  const seconds = context.sizes.snapshotSeconds;
  const without = await underLoad(context, { isHeld: false });
  const held = await underLoad(context, { isHeld: true });
  return {
    rows: [rowOf('no snapshot', 'tasks/s', [without]), rowOf('snapshot held', 'tasks/s', [held])],
    targets: [target('with the snapshot at least 80 % of the throughput', { value: (held.value / without.value) * 100, atLeast: 80, unit: ' %' })],
    notes: [`single submissions over 50 connections, one worker process, ${seconds} s each on a database of its own; the rate is that of the last third`],
  };
}

/** Each time from nothing, since what has been done before costs something too. */
function underLoad(context, { isHeld }) {
  const { sizes: { snapshotSeconds: seconds, warmUpSeconds }, undo, say } = context;
  return withSystem(context, async (system) => {
    const client = await system.database.connect();
    try {
      if (isHeld) {
        await client.query('begin isolation level repeatable read read only');
        await client.query('select count(*) from queue');
      }
      say(`${seconds} s ${isHeld ? 'with a snapshot held' : 'without'}`);
      return lateRate(await submitAndDrain(system, { seconds, warmUpSeconds, undo }));
    } finally {
      if (isHeld) await client.query('rollback');
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
