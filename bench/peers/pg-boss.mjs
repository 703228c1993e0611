/** pg-boss, tuned: jobs fetched and completed in batches by several loops; where latency counts, woken by NOTIFY. */
import { PgBoss } from 'pg-boss';

const QUEUE = 'bench';
const CONNECTIONS = 50;
const WORKER_CONNECTIONS = 10;
const BATCH = 500;
const LOOPS = 4;
const EMPTY_PAUSE_MS = 5;

async function start(connectionString, max, options = {}) {
  const boss = new PgBoss({ connectionString, max, schedule: false, ...options });
  boss.on('error', (error) => console.error(`pg-boss: ${error.message}`));
  await boss.start();
  return boss;
}

const stop = (boss) => boss.stop({ graceful: false });

/** Makes the schema and the queue. */
export async function prepare(connectionString, { forLatency }) {
  const boss = await start(connectionString, 2);
  await boss.createQueue(QUEUE, { notify: forLatency });
  await stop(boss);
}

export async function openSubmitter(connectionString) {
  const boss = await start(connectionString, CONNECTIONS, { supervise: false });
  return {
    submit: (payload) => boss.send(QUEUE, payload),
    submitMany: (payloads) => boss.insert(QUEUE, payloads.map((data) => ({ data }))),
    close: () => stop(boss),
  };
}

/** Runs `onTask` for each job; `forLatency`: as soon as the listener is told. */
export async function openWorker(connectionString, onTask, { forLatency }) {
  const boss = await start(connectionString, WORKER_CONNECTIONS, { useListenNotify: forLatency });
  if (forLatency) {
    await boss.work(QUEUE, { batchSize: 1, pollingIntervalSeconds: 0.5 }, async () => onTask());
    return { close: () => stop(boss) };
  }
  let closing = false;
  const loops = Array.from({ length: LOOPS }, async () => {
    while (!closing) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      for (let n = 0; n < jobs.length; n++) onTask();
      if (jobs.length > 0) await boss.complete(QUEUE, jobs.map(({ id }) => id));
      else await new Promise((resolve) => setTimeout(resolve, EMPTY_PAUSE_MS));
    }
  });
  return {
    close: async () => {
      closing = true;
      await Promise.all(loops);
      await stop(boss);
    },
  };
}

export const UNFINISHED = "select count(*) as n from pgboss.job where state < 'completed'";
