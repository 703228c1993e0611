/** Submission, one task a call, over 50 connections; against direct calls of other queues, and against the ceiling. */
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/child.mjs';
import { againstPeers, compareContenders, peerContenders, withSystem } from '../lib/compare.mjs';
import { submitSingly } from '../lib/loads.mjs';
import { cpuOf } from '../lib/proc.mjs';
import { perSecond, target } from '../lib/report.mjs';

const CEILING = fileURLToPath(new URL('../ceiling.mjs', import.meta.url));

export const title = 'single submissions, 50 connections, 200 bytes of parameters';

export async function run(context) {
  const { sizes, undo } = context;
  const { seconds, warmUpSeconds } = sizes;

  const ours = () => withSystem(context, async (system) => perSecond(
    await submitSingly(system.urls, { seconds, warmUpSeconds, metered: (load) => system.metered(load) }),
  ));
  const ceiling = async () => {
    const child = new Child(CEILING, [], { undo });
    try {
      const { url } = await child.wait((message) => message.url !== undefined);
      const metered = async (load) => {
        const [api, { user, system }] = [cpuOf(child.pid), process.cpuUsage()];
        const result = await load();
        const own = process.cpuUsage();
        return { ...result, cpu: { api: api === null ? null : cpuOf(child.pid) - api, client: (own.user - user + own.system - system) / 1e6 } };
      };
      return perSecond(await submitSingly([url], { seconds, warmUpSeconds, metered }));
    } finally {
      await child.stop();
    }
  };

  const rows = await compareContenders([
    { who: 'Task Executor', measure: ours }, { who: 'Express + validator, storing nothing', measure: ceiling },
    ...peerContenders(context, 'single', { seconds, warmUpSeconds }),
  ], context, { unit: 'tasks/s' });
  return {
    rows,
    targets: [
      againstPeers(rows, 4),
      target('at least 1.5 x the ceiling of Express + validator, which stores nothing', { value: rows[0].median / rows[1].median, atLeast: 1.5, unit: ' x' }),
    ],
  };
}
