/**
 * DBOS, tuned: a queue that is polled as often as its load needs, for nobody is told of what is enqueued; workflows without steps,
 * of which it keeps input and output. In bulk it enqueues as its event receivers do, 500 workflows a statement.
 */
import { randomUUID } from 'node:crypto';
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import { enqueueWorkflows, prepareEnqueuedWorkflow } from '@dbos-inc/dbos-sdk/eventreceiver';

const NAME = 'bench';
const CONNECTIONS = 50;
const WORKER_CONNECTIONS = 20;
const CONCURRENCY = 500;
/** A poll takes what there is, up to CONCURRENCY at a time: more often would only make more transactions of it. */
const POLL_MS = 20;
const LATENCY_POLL_MS = 1;

let onEach = () => undefined;
const workflow = DBOS.registerWorkflow(async () => onEach(), { name: NAME });

// A process has one DBOS, which is a worker or is not: it is launched anew for the other role.
let role = null;
let changing = Promise.resolve();

/** Launches it in the role `wanted`, or ends it (null). Resolves when it is there. */
function become(wanted, systemDatabaseUrl) {
  if (wanted === role) return changing;
  const isLaunched = role !== null;
  role = wanted;
  changing = changing.then(async () => {
    if (isLaunched) await DBOS.shutdown();
    if (wanted === null) return;
    DBOS.setConfig({
      name: NAME, applicationVersion: NAME, systemDatabaseUrl, logLevel: 'error',
      ...(wanted === 'worker' ? { systemDatabasePoolSize: WORKER_CONNECTIONS, listenQueues: [NAME] } : { systemDatabasePoolSize: CONNECTIONS, listenQueues: [] }),
    });
    await DBOS.launch();
  });
  return changing;
}

/** Makes the schema and the queue. */
export async function prepare(connectionString, { forLatency }) {
  await become('submitter', connectionString);
  await DBOS.registerQueue(NAME, forLatency ? { minPollingIntervalMs: LATENCY_POLL_MS } : { minPollingIntervalMs: POLL_MS, workerConcurrency: CONCURRENCY });
  await become(null);
}

export async function openSubmitter(systemDatabaseUrl) {
  const client = await DBOSClient.create({ systemDatabaseUrl, systemDatabasePoolSize: CONNECTIONS, applicationName: NAME });
  return {
    submit: (payload) => client.enqueue({ queueName: NAME, workflowName: NAME }, payload),
    submitMany: async (payloads) => {
      await become('submitter', systemDatabaseUrl);
      const prepared = payloads.map((payload) => prepareEnqueuedWorkflow(workflow, [payload], { queueName: NAME, workflowID: randomUUID() }));
      await enqueueWorkflows(await Promise.all(prepared));
    },
    close: () => client.destroy(),
  };
}

/** Runs `onTask` for each workflow. How soon and how many at a time, the queue says. */
export async function openWorker(connectionString, onTask) {
  onEach = onTask;
  await become('worker', connectionString);
  return { close: () => become(null) };
}

/** It keeps what is done. */
export const UNFINISHED = "select count(*) as n from dbos.workflow_status where status in ('ENQUEUED', 'PENDING')";
