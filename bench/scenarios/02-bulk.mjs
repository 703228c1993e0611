/** Submission of 1,000 tasks a call. */
import { againstPeers, compareContenders, peerContenders, withSystem } from '../lib/compare.mjs';
import { submitInBulk } from '../lib/loads.mjs';
import { perSecond } from '../lib/report.mjs';

export const title = 'bulk submission, 1,000 tasks a call, 4 calls in flight';

export async function run(context) {
  const { seconds, warmUpSeconds } = context.sizes;
  const rows = await compareContenders([
    { who: 'Task Executor', measure: () => withSystem(context, async (system) => perSecond(await submitInBulk(system, { seconds, warmUpSeconds }))) },
    ...peerContenders(context, 'bulk', { seconds, warmUpSeconds }),
  ], context, { unit: 'tasks/s' });
  return { rows, targets: [againstPeers(rows, 1)] };
}
