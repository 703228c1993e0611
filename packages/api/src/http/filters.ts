/** The filters of lists, exports and bulk operations as they come in a query or a body. */
import { LIMITS, type TaskStatus, type components } from '@task-executor/shared';
import type { Request } from 'express';
import type { TaskFilter } from '../queue/filter.js';
import { validationProblem } from './problem.js';
import { queryText } from './request.js';

type Listed = Partial<components['schemas']['TaskFilter']>;

/** The filter of a body. @throws Problem */
export function toFilter(given: Listed, path: string): TaskFilter {
  const labels = Object.entries(given.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const label of labels) {
    if (Buffer.byteLength(label) > LIMITS.maxLabelBytes) {
      throw validationProblem(`${path}/labels`, `a label must be at most ${LIMITS.maxLabelBytes} bytes`);
    }
  }
  return {
    statuses: [...new Set(given.status ?? [])],
    problemId: given.problem_id ?? null,
    problemGlob: given.problem_glob ?? null,
    workerId: given.worker_id ?? null,
    workflowId: given.workflow_id ?? null,
    scheduleId: given.schedule_id ?? null,
    labels,
    createdFrom: given.created_from ?? null,
    createdBefore: given.created_before ?? null,
    completedFrom: given.completed_from ?? null,
    completedBefore: given.completed_before ?? null,
  };
}

/** The filter of a query. @throws Problem */
export function filterOf(req: Request): TaskFilter {
  const query = req.query as Record<string, unknown>;
  const labels: Record<string, string> = {};
  for (const label of [query.label ?? []].flat() as string[]) {
    const at = label.indexOf('=');
    const key = label.slice(0, at);
    if (Object.hasOwn(labels, key)) throw validationProblem('/query/label', `the key ${key} is given twice`);
    // Bodies are checked for this when they are read.
    if (label.includes('\u0000')) throw validationProblem('/query/label', 'must hold no NUL character');
    labels[key] = label.slice(at + 1);
  }
  const text = (name: string): Record<string, string> => {
    const value = queryText(req, name);
    return value === null ? {} : { [name]: value };
  };
  return toFilter({
    ...(query.status === undefined ? {} : { status: [query.status].flat() as TaskStatus[] }),
    ...text('problem_id'), ...text('problem_glob'), ...text('worker_id'), ...text('workflow_id'), ...text('schedule_id'), labels,
    ...text('created_from'), ...text('created_before'), ...text('completed_from'), ...text('completed_before'),
  }, '/query');
}
