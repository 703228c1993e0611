/** What other packages may use of the worker. */
export { Pulses } from './heartbeat/pulse.js';
export type { WorkerLog } from './log.js';
export { startWorker, type RunningWorker, type WorkerEnd, type WorkerOptions, type WorkerState } from './worker.js';
