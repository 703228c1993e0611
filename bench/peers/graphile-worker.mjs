/** graphile-worker, tuned by https://worker.graphile.org/docs/performance: jobs fetched and completed in batches, a large pool. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';

const QUIET = new Logger(() => () => undefined);
const TASK = 'bench';
const CONNECTIONS = 50;
const WORKER_CONNECTIONS = 10;
const CONCURRENCY = 50;
const LOCAL_QUEUE = 500;

/** Makes the schema. */
export async function prepare(connectionString) {
  const utils = await makeWorkerUtils({ connectionString, logger: QUIET });
  await utils.migrate();
  await utils.release();
}

export async function openSubmitter(connectionString) {
  const utils = await makeWorkerUtils({ connectionString, maxPoolSize: CONNECTIONS, logger: QUIET });
  return {
    submit: (payload) => utils.addJob(TASK, payload),
    submitMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload }))),
    close: () => utils.release(),
  };
}

/** Runs `onTask` for each job; `forLatency`: each as it comes, without batches. */
export async function openWorker(connectionString, onTask, { forLatency }) {
  const runner = await run({
    connectionString, maxPoolSize: WORKER_CONNECTIONS, concurrency: forLatency ? 1 : CONCURRENCY, noHandleSignals: true, logger: QUIET,
    taskList: { [TASK]: () => onTask() },
    ...(forLatency ? {} : { preset: { worker: { localQueue: { size: LOCAL_QUEUE }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } }),
  });
  return { close: () => runner.stop() };
}

/** It deletes what is done: what is left is what is not. */
export const UNFINISHED = 'select count(*) as n from graphile_worker._private_jobs';
