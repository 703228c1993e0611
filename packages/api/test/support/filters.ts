/** Filters of tasks. */
import type { TaskFilter } from '../../src/queue/filter.js';

/** It means all tasks. */
export const NO_FILTER: TaskFilter = {
  statuses: [], problemId: null, problemGlob: null, workerId: null, workflowId: null, scheduleId: null, labels: [],
  createdFrom: null, createdBefore: null, completedFrom: null, completedBefore: null,
};
