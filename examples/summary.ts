/**
 * Sums up the tasks that it depends on: the mean, least and greatest of the number that each of them has as `parameters.field` in
 * its result. A module: it runs in a process of its own, with what it needs in its context.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Handler } from '@task-executor/worker';

const summarise: Handler<{ field?: string }> = async (task, context) => {
  const field = task.parameters.field ?? 'score';
  const rows: [string, number][] = [];
  for (const [name, result] of Object.entries(context.dependencies)) {
    const value = result?.[field];
    if (typeof value === 'number') rows.push([name, value]);
    else context.log('warning', `${name} has no number ${field}`);
    context.progress({ step: rows.length, total: Object.keys(context.dependencies).length });
  }
  // Another attempt would find the same: say so.
  if (rows.length === 0) throw Object.assign(new Error(`no task before this one has a number ${field}`), { retryable: false });

  await writeFile(join(context.artifactsDir, 'rows.json'), JSON.stringify(Object.fromEntries(rows)));
  const values = rows.map(([, value]) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  context.progress({ metrics: { mean } });
  return { success: true, tasks: rows.length, mean, least: Math.min(...values), greatest: Math.max(...values) };
};

export default summarise;
