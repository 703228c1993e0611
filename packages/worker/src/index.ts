/** What other packages may use of the worker. */
export { Catalog, CatalogError, type CatalogEntry } from './catalog/catalog.js';
export type { Execution, ExecutionContext, Executor, ProgressUpdate } from './executors/executor.js';
export type { Handler, HandlerError, ModuleContext, ModuleTask } from './executors/module-types.js';
export { Pulses } from './heartbeat/pulse.js';
export type { WorkerLog } from './log.js';
export { createProcessLog } from './process/process-log.js';
export { collectProcessMetrics } from './process/process-metrics.js';
export type { RunningWorker, WorkerEnd, WorkerOptions, WorkerState } from './running-worker.js';
export { startWorker } from './worker.js';
