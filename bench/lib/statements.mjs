/**
 * The statements of a task's life, as calls of the API and what tells their SQL from the rest. Where the API runs none that matches,
 * the benchmark breaks: then the statement is another, and this has to follow it.
 */
import { historyProblem, historyWorker } from './history.mjs';
import { Http } from './http.mjs';
import { BULK_TASKS } from './sizes.mjs';
import { batchText, fill, newProblem, register, submission, submissionTexts } from './tasks.mjs';

const LOG_LINES = 100;
const PARALLEL = 1_000;
/** Attempts that the heartbeats name. */
const HELD = 20;
/** Before all else, and more than a claim looks at before it looks at lanes. */
const FIRST = 10;

const SUBMIT = /insert into queue /;
const PAGE = /with page as materialized/;
const TOTALS = /with counted as/;

/** What no call asks for; looked at while nothing is due. */
export const SWEEPS = [['sweep: whether anything is due', /json_build_array\(.*\) as answers/s]];

/**
 * Prepares a queue of `pending` tasks; steps `{ call, statements }` are to be done in their order, each as often as wished up to
 * `calls` times. Statements are [name, pattern] pairs; a name is what it is called in the table.
 */
export async function prepareStatements(system, { pending, calls }) {
  const http = new Http(system.urls);
  const problem = newProblem('explain');
  const behind = `${problem}-behind`;
  const bulk = submissionTexts(`${problem}-bulk`);
  const lines = { entries: Array.from({ length: LOG_LINES }, (_none, n) => ({ level: 'info', message: `step ${n} of the evaluation: reward 0.25` })) };
  await fill(http, pending + calls, (n) => submission(`${problem}-front-${n % 10}`, { priority: FIRST }));
  await fill(http, calls, () => submission(behind, { priority: 0 }));
  // As autovacuum would, which is off: it would come in the middle. It takes longer than the lease of a worker may last.
  await system.database.query('vacuum (analyze)');
  const fitting = await register(http, { problems: [`${problem}-front-*`], parallel: PARALLEL });
  const other = await register(http, { problems: [behind], parallel: PARALLEL });
  const claimed = [];
  const claim = async (worker) => {
    const task = await http.post(`${worker.path}/claim`, undefined, worker.headers);
    if (task === undefined) throw new Error('there was no task to claim');
    return { ...task, path: `${worker.path}/tasks/${task.id}`, headers: { ...worker.headers, 'task-attempt': String(task.attempt) } };
  };
  const list = (what, query, count) => ({ call: () => http.get(`/api/v1/tasks?${query}`), statements: [[`list, ${what}`, PAGE], count(what)] });
  const exact = (what) => [`count, ${what}`, TOTALS];
  const counted = (what) => [`count, ${what}`, /select count\(\*\) as total from/];
  const steps = [
    { call: () => http.post('/api/v1/tasks', submission(problem)), statements: [['submit one', SUBMIT]] },
    { call: () => http.send('/api/v1/tasks/batch', batchText(bulk)), statements: [[`submit ${BULK_TASKS}`, SUBMIT]] },
    { call: async () => claimed.push(await claim(fitting)), statements: [['claim', /as is_plain/]] },
    { call: () => claim(other), statements: [['claim behind what does not fit', /best_lanes/]] },
    {
      call: () => http.post(`${fitting.path}/heartbeat`, {
        status: 'busy', attempts: claimed.slice(-HELD).map(({ id, attempt }) => ({ task_id: id, attempt })),
      }, fitting.headers),
      statements: [['heartbeat', /renewed as \(/], [`heartbeat: ${Math.min(HELD, calls)} attempts`, /'unnamed'/]],
    },
    { call: () => http.post(`${claimed.at(-1).path}/logs`, lines, claimed.at(-1).headers), statements: [[`log lines, ${LOG_LINES}`, /insert into task_logs/]] },
    {
      call: async () => {
        const { path, headers } = claimed.shift();
        await http.post(`${path}/complete`, { success: true, score: 0.75 }, headers);
      },
      statements: [['report', /insert into outcomes/]],
    },
    list('by nothing', '', exact),
    list('by status', 'status=failed', exact),
    list('by problem', `problem_id=${historyProblem(1)}`, exact),
    list('by a glob of problems', 'problem_glob=history-0*', counted),
    list('by worker', `worker_id=${historyWorker(1)}`, exact),
    list('by label', 'label=team%3Dteam-3', counted),
    list('by status, last ended first', 'status=failed&sort=-completed_at', exact),
    list('by nothing, last changed first', 'sort=-updated_at', exact),
    list('by status and problem', `status=failed&problem_id=${historyProblem(1)}`, counted),
    { call: () => http.get('/api/v1/tasks/stats'), statements: [['stats: totals', TOTALS], ['stats: by problem and worker', /with deltas as materialized/]] },
  ];
  return { steps, close: () => http.close() };
}
