/** One, two and three API processes on one database: they share the machine here, so what is shown is that they do not hinder each other. */
import { withSystem } from '../lib/compare.mjs';
import { drain, simpleClients, submitSingly } from '../lib/loads.mjs';
import { perSecond, rowOf } from '../lib/report.mjs';

export const title = 'API replicas on one database';

export async function run(context) {
  const { sizes, undo, say } = context;
  const { seconds, warmUpSeconds } = sizes;
  const loads = {
    'single submissions': (system) => submitSingly(system.urls, { seconds, warmUpSeconds, metered: (load) => system.metered(load) }),
    'drain, a worker process each': (system) => drain(system, { count: sizes.drainTasks, warmUp: warmUpSeconds > 0, undo }),
    'sixteen simple clients': (system) => simpleClients(system, { count: sizes.simpleTasks }),
  };
  const rows = Object.fromEntries(Object.keys(loads).map((what) => [what, []]));
  await withSystem(context, async (system) => {
    for (let replicas = 1; replicas <= sizes.replicas; replicas++) {
      if (replicas > 1) await system.addReplica();
      for (const [what, load] of Object.entries(loads)) {
        const samples = [];
        for (let round = 1; round <= sizes.repeats; round++) {
          say(`${what}, ${replicas} (${round} of ${sizes.repeats})`);
          samples.push(perSecond(await load(system)));
        }
        rows[what].push(rowOf(`${what}, ${replicas}`, 'tasks/s', samples));
      }
    }
  });
  return { rows: Object.values(rows).flat() };
}
