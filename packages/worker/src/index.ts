/** What other packages may use of the worker. */
export type { WorkerLog } from './log.js';
export { startWorker, type RunningWorker, type WorkerEnd, type WorkerOptions } from './worker.js';
