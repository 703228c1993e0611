/**
 * A worker of the benchmark, in a process of its own: claims many tasks at a time and reports them completed, several calls in
 * flight, over HTTP. It does nothing else, so that what is measured is the queue. Its parent says { go }, is told { done }, the
 * number of tasks so far, every few milliseconds, and says { finish }, which is answered with { finished, cpu }.
 */
import { Http } from './http.mjs';
import { register } from './tasks.mjs';
import { CLAIM_IN_FLIGHT, CLAIM_TASKS } from './sizes.mjs';

const TELL_MS = 10;
const WAIT_SECONDS = 20;

const { url, problems } = JSON.parse(process.argv[2]);
const http = new Http([url], CLAIM_IN_FLIGHT);
const { path, headers } = await register(http, { problems, parallel: CLAIM_IN_FLIGHT * CLAIM_TASKS });
let done = 0;
let finishing = false;

async function loop() {
  while (!finishing) {
    const { tasks } = await http.post(`${path}/claim-batch`, { max_tasks: CLAIM_TASKS, wait_seconds: WAIT_SECONDS }, headers);
    if (tasks.length === 0) continue;
    const reports = tasks.map(({ id, attempt }) => ({ task_id: id, attempt, outcome: 'completed', result: { success: true } }));
    const answer = await http.post(`${path}/report`, { reports }, headers);
    const refused = answer.reports.find((receipt) => !receipt.accepted);
    if (refused !== undefined) throw new Error(`a report was refused: ${JSON.stringify(refused)}`);
    done += tasks.length;
  }
}

function follow() {
  const before = process.cpuUsage();
  let told = 0;
  const tell = setInterval(() => {
    if (done !== told) process.send({ done });
    told = done;
  }, TELL_MS);
  process.on('message', ({ finish }) => {
    if (finish !== true) return;
    finishing = true;
    clearInterval(tell);
    const { user, system } = process.cpuUsage(before);
    process.send({ finished: true, cpu: (user + system) / 1e6 });
  });
  for (let n = 0; n < CLAIM_IN_FLIGHT; n++) {
    loop().catch((error) => {
      console.error(error);
      process.exit(1);
    });
  }
}

process.on('disconnect', () => process.exit(0));
process.once('message', follow);
process.send({ ready: true });
