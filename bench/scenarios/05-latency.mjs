/** How long a task waits where a worker is idle: from the answer of its submission to that of the long poll which claims it. */
import { compareContenders, peerContenders, withSystem } from '../lib/compare.mjs';
import { idleLatency } from '../lib/loads.mjs';
import { percentile } from '../lib/numbers.mjs';
import { rowOf, target } from '../lib/report.mjs';

export const title = 'from submitted to claimed, by one idle worker in a long poll';

export async function run(context) {
  const samples = context.sizes.latencySamples;
  const valueOf = (result) => ({ ...result, value: percentile(result.latencies, 0.5) });
  const all = [];
  const keep = (result) => {
    all.push(result);
    return valueOf(result);
  };
  const rows = await compareContenders([
    { who: 'Task Executor, p50', measure: () => withSystem(context, async (system) => keep(await idleLatency(system, { samples }))) },
    ...peerContenders(context, 'latency', { samples }, valueOf).map((one) => ({ ...one, who: `${one.who}, p50` })),
  ], context, { unit: 'ms', digits: 2 });
  const p99 = rowOf('Task Executor, p99', 'ms', all.map((result) => ({ value: percentile(result.latencies, 0.99), ops: result.ops })), 2);
  return {
    rows: [rows[0], p99, ...rows.slice(1)],
    targets: [
      target('p50 at most 5 ms', { value: rows[0].median, atMost: 5, unit: ' ms' }),
      target('p99 at most 12 ms', { value: p99.median, atMost: 12, unit: ' ms' }),
    ],
    notes: [`${samples} tasks each time`],
  };
}
