/** Workflows: submit a graph of named tasks, follow it, cancel it, run again what did not complete. */
import { randomUUID } from 'node:crypto';
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import type { Database } from '../db/database.js';
import { cancelMany } from '../queue/cancel.js';
import { readRetried, retryOf } from '../queue/retry.js';
import type { Edge, Submission } from '../queue/submission.js';
import { submit } from '../queue/submit.js';
import { checkBytes, checkDependencies, toSubmission } from '../queue/to-submission.js';
import { countByStatus, findCycle, findWorkflow, statusOf, storeWorkflow, workflowTasks, type NewWorkflow } from '../queue/workflow.js';
import { answerCreation, type Creation } from './creation.js';
import { checkItem } from './items.js';
import { Problem, validationProblem } from './problem.js';
import { pathText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

export function workflowRoutes({ config, databases, metrics, aftermath }: Services): Router {
  const router = Router();
  const db = databases.general;

  async function read(reader: Database, id: string): Promise<Schemas['Workflow']> {
    const row = await findWorkflow(reader, id);
    if (row === null) throw new Problem('workflow_not_found');
    const tasks = await workflowTasks(reader, id);
    const counts = countByStatus(tasks);
    const status = statusOf(counts);
    const lastEnd = Math.max(...tasks.map((task) => task.ended_at?.getTime() ?? 0));
    return {
      id: row.id,
      name: row.name,
      labels: row.labels,
      status,
      progress: { total: tasks.length, ...counts },
      retry_of: row.retry_of,
      created_at: row.created_at.toISOString(),
      completed_at: status === 'running' ? null : new Date(lastEnd).toISOString(),
      tasks: tasks.map((task) => ({
        name: task.name,
        task_id: task.id,
        problem_id: task.problem_id,
        status: task.status,
        reason: task.reason,
        retry_of: task.retry_of,
        depends_on: task.parents.map(({ name, parent_id: parent }) => ({ name, task_id: parent })),
      })),
    };
  }

  async function create(transaction: Database, workflow: NewWorkflow, tasks: Submission[], edges: Edge[]): Promise<Creation> {
    await storeWorkflow(transaction, workflow);
    const submitted = await submit(transaction, config.priorityAgeingMs, tasks, edges);
    return {
      status: 201,
      location: `/api/v1/workflows/${workflow.id}`,
      answer: await read(transaction, workflow.id),
      after: () => aftermath.submitted(submitted),
    };
  }

  router.post('/api/v1/workflows', async (req, res) => {
    const body = req.body as Schemas['WorkflowSubmission'];
    const id = randomUUID();
    checkBytes('/body/name', body.name);
    for (const [n, { parameters }] of body.tasks.entries()) checkItem(req, `/body/tasks/${n}/parameters`, parameters);
    checkGraph(body.tasks);
    const position = new Map(body.tasks.map(({ name }, n) => [name, n]));
    const tasks = body.tasks.map((task, n) => toSubmission(config, `/body/tasks/${n}`, {
      ...task, labels: { ...body.labels, ...task.labels }, depends_on: [],
    }, { workflowId: id }));
    const edges = body.tasks.flatMap((task, child) =>
      [...new Set(task.depends_on ?? [])].map((name) => ({ child, parent: position.get(name) ?? 0, name })));
    const workflow = { id, name: body.name ?? null, labels: body.labels ?? {}, retryOf: null };
    await answerCreation(db, req, res, (transaction) => create(transaction, workflow, tasks, edges), { inTransaction: true });
  });

  router.get('/api/v1/workflows/:workflow_id', async (req, res) => {
    res.json(await read(db, pathText(req, 'workflow_id')));
  });

  router.post('/api/v1/workflows/:workflow_id/cancel', async (req, res) => {
    const id = pathText(req, 'workflow_id');
    const { tasks } = await read(db, id);
    const open = tasks.filter(({ status }) => status === 'pending' || status === 'running').map(({ task_id: task }) => task);
    // All in one statement: else the end of some could set others free before their own turn comes.
    const cancelled = await cancelMany(db, open);
    const running = cancelled.flatMap(({ worker_id: worker }) => worker ?? []);
    metrics.attempts.inc({ outcome: 'cancelled' }, running.length);
    aftermath.changed(cancelled.map(({ task_id: task }) => task));
    aftermath.tell(running);
    await aftermath.ended(cancelled.map((task) => ({ status: 'cancelled', hasDependents: task.has_dependents })));
    await aftermath.freed();
    res.json(await read(db, id));
  });

  router.post('/api/v1/workflows/:workflow_id/retry', async (req, res) => {
    const oldId = pathText(req, 'workflow_id');
    const newId = randomUUID();
    await answerCreation(db, req, res, async (transaction) => {
      const old = await read(transaction, oldId);
      if (old.status === 'running') throw new Problem('workflow_running');
      const again = old.tasks.filter(({ status }) => status !== 'completed').map(({ task_id: task }) => task);
      if (again.length === 0) throw new Problem('workflow_completed');
      const rows = await readRetried(transaction, again);
      const position = new Map(rows.map(({ id }, n) => [id, n]));
      const tasks = rows.map((row) => ({ ...retryOf(row), workflowId: newId }));
      // What completed is not run again: its result is delivered from the old task.
      const edges = rows.flatMap((row, child) => row.parents.map(({ parent_id: parent, name }) =>
        ({ child, parent: position.get(parent) ?? parent, name })));
      return create(transaction, { id: newId, name: old.name, labels: old.labels, retryOf: oldId }, tasks, edges);
    }, { inTransaction: true });
  });

  return router;
}

/**
 * Refuses a graph with too many dependencies, or whose names repeat, are unknown or go round in a circle.
 * @throws Problem, InvalidSubmission
 */
function checkGraph(tasks: Schemas['WorkflowSubmission']['tasks']): void {
  checkDependencies('/body/tasks', tasks);
  const parentsOf = new Map<string, readonly string[]>();
  for (const [n, { name, depends_on: parents = [] }] of tasks.entries()) {
    if (parentsOf.has(name)) throw validationProblem(`/body/tasks/${n}/name`, `"${name}" is the name of two tasks`);
    parentsOf.set(name, parents);
  }
  for (const [n, { depends_on: parents = [] }] of tasks.entries()) {
    const unknown = parents.findIndex((parent) => !parentsOf.has(parent));
    if (unknown < 0) continue;
    const path = `/body/tasks/${n}/depends_on/${unknown}`;
    throw validationProblem(path, `there is no task named "${parents[unknown] ?? ''}" in this workflow`);
  }
  const cycle = findCycle(parentsOf);
  if (cycle !== null) {
    throw validationProblem('/body/tasks', `the tasks depend on each other in a circle: ${cycle.slice(0, 50).join(' -> ')}`);
  }
}
