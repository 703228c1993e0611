/** Claims out of a long queue of many problems and priorities, half of which no live worker fits; against a short queue of the same kind. */
import { takeTurns, withSystem } from '../lib/compare.mjs';
import { Http } from '../lib/http.mjs';
import { simpleClients } from '../lib/loads.mjs';
import { percentile } from '../lib/numbers.mjs';
import { rowOf, target } from '../lib/report.mjs';
import { BULK_IN_FLIGHT } from '../lib/sizes.mjs';
import { fill, newProblem, submission } from '../lib/tasks.mjs';

export const title = 'claims out of a long queue, half of it for nobody who is there';

export async function run(context) {
  const { backlog } = context.sizes;
  const rows = [];
  const targets = [];
  // In the second order everything for nobody comes first, so that each claim has to look past it.
  for (const [order, priorityOf] of [['mixed', (n) => n % 11], ['for nobody first', (n) => (n % 2 === 0 ? n % 5 : 5 + (n % 6))]]) {
    const measured = { small: await claims(context, priorityOf, backlog.smallTasks), large: await claims(context, priorityOf, backlog.tasks) };
    const [small, large] = Object.values(measured).map((samples, n) => rowOf(
      `${[backlog.smallTasks, backlog.tasks][n].toLocaleString('en-US')} pending, ${order}: claim p99`, 'ms', samples, 2,
    ));
    rows.push(small, large);
    targets.push(target(`${order}: p99 of claims within 2 x of a short queue's`, { value: large.median / small.median, atMost: 2, unit: ' x' }));
  }
  return { rows, targets, notes: [`${backlog.problems} problems, 11 priorities, sixteen simple clients, ${backlog.claims} claims each time`] };
}

/** Samples of the claims' p99 where `count` tasks are pending. Every second is of a problem that a worker takes. */
function claims(context, priorityOf, count) {
  const { backlog } = context.sizes;
  return withSystem(context, async (system) => {
    const name = newProblem('backlog');
    const http = new Http(system.urls, BULK_IN_FLIGHT);
    context.say(`submitting ${count.toLocaleString('en-US')} tasks`);
    try {
      await fill(http, count, (n) => submission(`${name}-${n % 2 === 0 ? 'fit' : 'other'}-${n % backlog.problems}`, { priority: priorityOf(n) }));
    } finally {
      await http.close();
    }
    const claim = (tasks) => simpleClients(system, { count: tasks, problems: [`${name}-fit-*`], prepare: false });
    // The short queue has to last for all rounds.
    const each = Math.min(backlog.claims, Math.floor(backlog.smallTasks / 2 / (context.sizes.repeats + 1)));
    await claim(Math.ceil(each / 4));
    const [samples] = await takeTurns([{
      who: `${count.toLocaleString('en-US')} pending`,
      measure: async () => {
        const result = await claim(each);
        return { ...result, value: percentile(result.latencies, 0.99) };
      },
    }], context);
    return samples;
  });
}
