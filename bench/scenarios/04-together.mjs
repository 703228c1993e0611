/** Submission, one task a call, while one worker process drains: tasks that went all the way, per second. */
import { againstPeers, compareContenders, peerContenders, withSystem } from '../lib/compare.mjs';
import { submitAndDrain } from '../lib/loads.mjs';
import { perSecond, target } from '../lib/report.mjs';
import { median } from '../lib/numbers.mjs';

export const title = 'single submissions over 50 connections while one worker process drains';

export async function run(context) {
  const { sizes, undo } = context;
  const { seconds, warmUpSeconds } = sizes;
  const backlogs = [];
  const rows = await compareContenders([
    {
      who: 'Task Executor',
      measure: () => withSystem(context, async (system) => {
        const result = perSecond(await submitAndDrain(system, { seconds, warmUpSeconds, undo }));
        backlogs.push(result.backlog / result.value);
        return result;
      }),
    },
    ...peerContenders(context, 'together', { seconds, warmUpSeconds }),
  ], context, { unit: 'tasks/s' });
  return {
    rows,
    targets: [
      againstPeers(rows, 3),
      target('the backlog when submission ends is worth at most a second', { value: median(backlogs), atMost: 1, unit: ' s' }),
    ],
  };
}
