/** What is submitted, and how workers are made. Each load has a problem of its own, so that none finds what another has left. */
import { randomBytes } from 'node:crypto';
import { BULK_IN_FLIGHT, BULK_TASKS, PAYLOAD_BYTES } from './sizes.mjs';
import { closedLoop } from './numbers.mjs';

export const newProblem = (purpose) => `bench-${purpose}-${randomBytes(4).toString('hex')}`;

/** Nobody's parameters begin with these digits. */
const NO_SEED = '0'.repeat(12);
let seeds = 0;
const nextSeed = () => String((seeds += 1)).padStart(NO_SEED.length, '0');

/** Parameters of PAYLOAD_BYTES, with which the worker's simulated executor does nothing. No two are equal: equal tasks share a page of an index. */
export function payload(seed = nextSeed()) {
  const parameters = { max_steps: 0, agent_config: { model: 'none', temperature: 0.2 }, seed, text: '' };
  return { ...parameters, text: 'x'.repeat(PAYLOAD_BYTES - JSON.stringify(parameters).length) };
}

export const submission = (problemId, extra = {}) => ({ problem_id: problemId, parameters: payload(), ...extra });

/** Makes submissions of a problem as JSON, for less than `JSON.stringify` costs the client. */
export function submissionTexts(problemId) {
  const [before, after] = JSON.stringify({ problem_id: problemId, parameters: payload(NO_SEED) }).split(NO_SEED);
  return () => before + nextSeed() + after;
}

/** A batch of BULK_TASKS, each what `text` makes. */
export const batchText = (text) => `{"tasks":[${Array.from({ length: BULK_TASKS }, text).join(',')}]}`;

/** Submits `count` tasks in bulk; the n-th is `task(n)`. */
export async function fill(http, count, task) {
  await closedLoop({ inFlight: BULK_IN_FLIGHT, count: Math.ceil(count / BULK_TASKS) }, (k) => {
    const from = k * BULK_TASKS;
    const size = Math.min(BULK_TASKS, count - from);
    return http.post('/api/v1/tasks/batch', { tasks: Array.from({ length: size }, (_none, n) => task(from + n)) });
  });
}

/** Registers a worker; `path` is where its calls go, `headers` are those of its session. */
export async function register(http, { problems, backendType = 'kind', parallel = 1, workerId }) {
  const worker = await http.post('/api/v1/workers/register', {
    ...(workerId === undefined ? {} : { worker_id: workerId }),
    backend_type: backendType, capabilities: { max_parallel_tasks: parallel, supported_problems: problems },
  });
  return {
    id: worker.id, path: `/api/v1/workers/${worker.id}`, headers: { 'worker-session': worker.session },
    heartbeatSeconds: worker.heartbeat_interval_seconds,
    claimWaitSeconds: worker.claim_wait_seconds,
  };
}
