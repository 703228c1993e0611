/** A backlog of tasks that do nothing, drained by one worker process. */
import { againstPeers, compareContenders, peerContenders, withSystem } from '../lib/compare.mjs';
import { drain } from '../lib/loads.mjs';
import { perSecond } from '../lib/report.mjs';

export const title = 'a backlog drained by one worker process over HTTP, 1,000 tasks at a time';

export async function run(context) {
  const { sizes, undo } = context;
  const count = sizes.drainTasks;
  const rows = await compareContenders([
    {
      who: 'Task Executor',
      measure: () => withSystem(context, async (system) => perSecond(await drain(system, { count, warmUp: sizes.warmUpSeconds > 0, undo }))),
    },
    ...peerContenders(context, 'drain', { count }),
  ], context, { unit: 'tasks/s' });
  return { rows, targets: [againstPeers(rows, 1)], notes: [`${count.toLocaleString('en-US')} tasks`] };
}
