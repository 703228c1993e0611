/**
 * One random history: each step is made of the API, by turns of two replicas, and of the model. Answers must be what the model
 * says, and so must the database be after each step; and every invariant holds.
 */
import { expect } from 'chai';
import type { Database } from '../../src/db/database.js';
import { callerOf, type Answer } from '../support/api.js';
import { expectInvariants } from '../support/invariants.js';
import type { Sweep } from '../support/sweeper.js';
import { Background } from './background.js';
import { check } from './check.js';
import { Model, type NamedAttempt } from './model.js';
import { Reporting, WORKERS } from './reporting.js';
import { databaseSnapshot, differences, modelSnapshot } from './snapshot.js';
import { picked, type Named, type Step, type StepOf } from './steps.js';
import { Submitter, UNKNOWN, type Call } from './submitter.js';
import { moveTime, type Move } from './time.js';

interface ClaimedBody {
  readonly id: string;
  readonly dependencies?: Record<string, unknown>;
}

export class History {
  readonly #model = new Model();
  readonly #urls: readonly string[];
  readonly #db: Database;
  readonly #submitter: Submitter;
  readonly #reporting: Reporting;
  readonly #background: Background;
  #calls = 0;

  constructor({ urls, db, sweep }: { urls: readonly string[]; db: Database; sweep: Sweep }) {
    this.#urls = urls;
    this.#db = db;
    const call: Call = (...request) => this.#call(...request);
    this.#submitter = new Submitter(this.#model, db, call);
    this.#reporting = new Reporting(this.#model, call);
    this.#background = new Background({ model: this.#model, db, call, submitter: this.#submitter, sweep });
  }

  async take(step: Step): Promise<void> {
    await this.#act(step);
    const found = differences(await databaseSnapshot(this.#db), modelSnapshot(this.#model));
    if (found.length > 0) throw new Error(`after ${JSON.stringify(step)}:\n${found.join('\n')}`);
    await expectInvariants(this.#db, { settled: step.verb === 'sweep' });
  }

  #call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return callerOf(this.#urls[this.#calls++ % this.#urls.length] ?? '')(method, `/api/v1${path}`, body, headers);
  }

  async #act(step: Step): Promise<void> {
    const { fleet } = this.#model;
    switch (step.verb) {
      case 'submit': return this.#submitter.submit(step);
      case 'batch': return this.#submitter.batch(step);
      case 'workflow': return this.#submitter.workflow(step);
      case 'cancelWorkflow': case 'retryWorkflow': return this.#submitter.ofWorkflow(step);
      case 'again': return this.#submitter.again(step);
      case 'retry': case 'cancel': case 'adjust': return this.#ofTask(step);
      case 'register': return this.#register(step);
      case 'deregister': case 'heartbeat': case 'claim': case 'claimBatch': return this.#ofSession(step);
      case 'drain': {
        const worker = picked(WORKERS, step.worker)!;
        const answer = await this.#call('POST', `/workers/${worker}/${step.draining ? 'drain' : 'resume'}`);
        check(answer, this.#model.drain(worker, step.draining));
        return;
      }
      case 'complete': case 'fail': case 'release': case 'log': case 'progress': return this.#reporting.report(step);
      case 'reports': return this.#reporting.reports(step);
      case 'pause': case 'resume': case 'limit': case 'changeLimit': case 'unlimit': return this.#control(step);
      case 'lapse': {
        const worker = picked([...fleet.workers.values()].filter(({ ended }) => ended === null), step.worker);
        if (worker !== undefined) await moveTime(this.#db, 'lapse', worker.id);
        if (worker !== undefined) worker.lapsed = true;
        return;
      }
      case 'overdue': case 'arrive': case 'expire': return this.#pass(step.verb, step.pick);
      case 'schedule': return this.#background.schedule(step);
      case 'changeSchedule': case 'unschedule': case 'due': return this.#background.ofSchedule(step);
      case 'bulk': return this.#background.bulk(step);
      case 'stopBulk': return this.#background.stopBulk(step);
      case 'sweep': return this.#background.sweep();
    }
  }

  async #ofTask(step: StepOf<'retry' | 'cancel' | 'adjust'>): Promise<void> {
    const { all, live } = this.#model.tasks;
    const task = picked(step.live ? live : all, step.pick);
    if (task === undefined) return;
    if (step.verb === 'retry') return this.#submitter.retry(task.id, step.keyed);
    if (step.verb === 'cancel') {
      check(await this.#call('POST', `/tasks/${task.id}/cancel`), this.#model.cancel(task.id));
      return;
    }
    const { priority, start } = step;
    const runAt = new Date(Date.now() + (start === 'future' ? 3_600_000 : -3_600_000));
    const body = { ...(priority === null ? {} : { priority }), ...(start === null ? {} : { run_at: runAt.toISOString() }) };
    const answer = await this.#call('PATCH', `/tasks/${task.id}`, body);
    if (Object.keys(body).length === 0) check(answer, { status: 422, code: 'validation_failed' });
    else check(answer, this.#model.adjust(task.id, priority, start, runAt.getTime()));
  }

  async #register({ worker, backend, parallel, globs }: StepOf<'register'>): Promise<void> {
    const id = picked(WORKERS, worker)!;
    const answer = await this.#call('POST', '/workers/register', {
      worker_id: id, backend_type: backend, capabilities: { max_parallel_tasks: parallel, supported_problems: globs },
    });
    expect([answer.status, answer.body.directives]).to.deep.equal([201, { cancel: [], lost: [], drain: false }]);
    this.#model.register({ id, session: answer.body.session as string, backend, parallel, globs, draining: false, lapsed: false, ended: null });
  }

  async #ofSession(step: StepOf<'deregister' | 'heartbeat' | 'claim' | 'claimBatch'>): Promise<void> {
    const { fleet } = this.#model;
    const former = step.session === 'former' ? picked(fleet.formerSessions, step.worker) : undefined;
    const worker = former?.worker ?? picked(WORKERS, step.worker)!;
    const session = step.session === 'none' ? null : former?.session ?? fleet.workers.get(worker)?.session ?? null;
    const headers: Record<string, string> = session === null ? {} : { 'worker-session': session };
    const post = (verb: string, body: unknown): Promise<Answer> => this.#call('POST', `/workers/${worker}/${verb}`, body, headers);
    if (step.verb === 'deregister') {
      check(await this.#call('DELETE', `/workers/${worker}`, undefined, headers), this.#model.deregister(worker, session));
    } else if (step.verb === 'heartbeat') {
      const [attempts, alone] = this.#named(step.names);
      check(await post('heartbeat', { attempts, ...(alone === undefined ? {} : { current_task_id: alone.task_id }) }),
        this.#model.heartbeat(worker, session, alone === undefined ? attempts : [...attempts, alone]));
    } else if (step.verb === 'claim') {
      const answer = await post('claim', step.request === null ? {} : { request_id: step.request });
      const expected = this.#model.claim(worker, session, step.request);
      check(answer, expected);
      if (expected.task !== undefined) this.#checkNeeds(answer.body as ClaimedBody);
    } else {
      const answer = await post('claim-batch', { max_tasks: step.most, ...(step.request === null ? {} : { request_id: step.request }) });
      const expected = this.#model.claimBatch(worker, session, step.request, step.most);
      check(answer, expected);
      if (expected.tasks !== undefined) for (const task of answer.body.tasks as ClaimedBody[]) this.#checkNeeds(task);
    }
  }

  /** A claimed task comes with the results of what it depended on. */
  #checkNeeds({ id, dependencies }: ClaimedBody): void {
    const { tasks } = this.#model;
    expect(dependencies ?? {}).to.deep.equal(Object.fromEntries(tasks.get(id).needs.map(({ parent, name }) => [name, tasks.get(parent).result])));
  }

  /** The attempts that a heartbeat names, and the task that it names alone. There is always one more task than there is. */
  #named(names: readonly Named[]): [NamedAttempt[], NamedAttempt | undefined] {
    const { all } = this.#model.tasks;
    const named = names.map(({ pick, attempt }): NamedAttempt => {
      const task = picked([...all, null], pick);
      return { task_id: task?.id ?? UNKNOWN, attempt: attempt === 'none' ? null : attempt === 'first' ? 1 : Math.max(1, task?.attempt ?? 1) };
    });
    const attempts = named.filter(({ attempt }) => attempt !== null);
    return [attempts, named.find((one) => one.attempt === null && !attempts.some(({ task_id: id }) => id === one.task_id))];
  }

  async #control(step: StepOf<'pause' | 'resume' | 'limit' | 'changeLimit' | 'unlimit'>): Promise<void> {
    const { pauses, limits } = this.#model.fleet;
    if (step.verb === 'pause' || step.verb === 'resume') {
      const answer = await this.#call('POST', `/queue/${step.verb}`, step.problem === '' ? {} : { problem_id: step.problem });
      expect(answer.status).to.equal(200);
      if (step.verb === 'resume') expect(answer.body.resumed).to.equal(pauses.delete(step.problem));
      else pauses.add(step.problem);
    } else if (step.verb === 'limit') {
      const { key, value, maxRunning } = step;
      const answer = await this.#call('POST', '/limits', { key, value, max_running: maxRunning });
      if (limits.some((limit) => limit.key === key && limit.value === value)) {
        check(answer, { status: 409, code: 'limit_exists' });
        return;
      }
      expect(answer.status).to.equal(201);
      limits.push({ id: answer.body.id as string, key, value, maxRunning });
    } else {
      const limit = picked(limits, step.pick);
      if (limit === undefined) return;
      const path = `/limits/${limit.id}`;
      const answer = step.verb === 'unlimit' ? await this.#call('DELETE', path) : await this.#call('PATCH', path, { max_running: step.maxRunning });
      expect(answer.status).to.equal(step.verb === 'unlimit' ? 204 : 200);
      if (step.verb === 'unlimit') limits.splice(limits.indexOf(limit), 1);
      else limit.maxRunning = step.maxRunning;
    }
  }

  async #pass(move: Extract<Move, 'overdue' | 'arrive' | 'expire'>, pick: number): Promise<void> {
    const { live, running } = this.#model.tasks;
    const task = picked(move === 'overdue' ? running : live.filter((one) => (move === 'arrive' ? one.available : one.expires) === 'future'), pick);
    if (task === undefined) return;
    await moveTime(this.#db, move, task.id);
    if (move === 'overdue') task.holder!.overdue = true;
    else task[move === 'arrive' ? 'available' : 'expires'] = 'past';
  }
}
