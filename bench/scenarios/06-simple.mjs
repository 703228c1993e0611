/** Clients that know nothing of sessions, attempts and batches: one task a call, each way. */
import { compareContenders, withSystem } from '../lib/compare.mjs';
import { simpleClients } from '../lib/loads.mjs';
import { perSecond, target } from '../lib/report.mjs';

export const title = 'sixteen simple clients: claim one, complete it';

export async function run(context) {
  const count = context.sizes.simpleTasks;
  const rows = await compareContenders([
    { who: 'Task Executor', measure: () => withSystem(context, async (system) => perSecond(await simpleClients(system, { count }))) },
  ], context, { unit: 'tasks/s' });
  return { rows, targets: [target('at least 3,000 tasks a second', { value: rows[0].median, atLeast: 3_000, unit: ' tasks/s' })] };
}
