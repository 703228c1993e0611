/**
 * One random history: each step is made of the API, by turns of two replicas, and of the model. Answers must be what the model
 * says, and so must the database be after each step; and every invariant holds.
 */
import { expect } from 'chai';
import type { Database } from '../../src/db/database.js';
import { callerOf, type Answer } from '../support/api.js';
import { expectInvariants } from '../support/invariants.js';
import type { Sweep } from '../support/sweeper.js';
import { check } from './check.js';
import { Model, type Reporter } from './model.js';
import { databaseSnapshot, differences, modelSnapshot } from './snapshot.js';
import type { Aim, Step, StepOf } from './steps.js';
import { moveTime, type Move } from './time.js';
import { Submitter } from './submitter.js';

const WORKERS = ['worker-001-kind', 'worker-002-kind', 'worker-003-kind'];

/** Element `pick` of `list`, counted round. */
function picked<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

export class History {
  readonly #model = new Model();
  readonly #urls: readonly string[];
  readonly #db: Database;
  readonly #sweep: Sweep;
  readonly #submitter: Submitter;
  #calls = 0;

  constructor({ urls, db, sweep }: { urls: readonly string[]; db: Database; sweep: Sweep }) {
    this.#urls = urls;
    this.#db = db;
    this.#sweep = sweep;
    this.#submitter = new Submitter(this.#model, db, (method, path, body) => this.#call(method, path, body));
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
      case 'batch': return this.#submitter.batch(step.items);
      case 'workflow': return this.#submitter.workflow(step.items);
      case 'cancelWorkflow': case 'retryWorkflow': return this.#submitter.ofWorkflow(step.verb, step.pick);
      case 'retry': case 'cancel': case 'adjust': return this.#ofTask(step);
      case 'register': return this.#register(step);
      case 'deregister': case 'heartbeat': case 'claim': return this.#ofSession(step);
      case 'drain': {
        const worker = picked(WORKERS, step.worker)!;
        const answer = await this.#call('POST', `/workers/${worker}/${step.draining ? 'drain' : 'resume'}`);
        check(answer, this.#model.drain(worker, step.draining));
        return;
      }
      case 'complete': case 'fail': case 'release': case 'log': return this.#report(step);
      case 'pause': case 'resume': case 'limit': case 'changeLimit': case 'unlimit': return this.#control(step);
      case 'lapse': {
        const worker = picked([...fleet.workers.values()].filter(({ ended }) => ended === null), step.worker);
        if (worker !== undefined) await moveTime(this.#db, 'lapse', worker.id);
        if (worker !== undefined) worker.lapsed = true;
        return;
      }
      case 'overdue': case 'arrive': case 'expire': return this.#pass(step.verb, step.pick);
      case 'sweep': {
        await this.#sweep();
        this.#model.sweep();
        return;
      }
    }
  }

  async #ofTask(step: StepOf<'retry' | 'cancel' | 'adjust'>): Promise<void> {
    const { all, live } = this.#model.tasks;
    const task = picked(step.live ? live : all, step.pick);
    if (task === undefined) return;
    if (step.verb === 'retry') return this.#submitter.retry(task.id);
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
    expect(answer.status).to.equal(201);
    this.#model.register({ id, session: answer.body.session as string, backend, parallel, globs, draining: false, lapsed: false, ended: null });
  }

  async #ofSession(step: StepOf<'deregister' | 'heartbeat' | 'claim'>): Promise<void> {
    const { fleet } = this.#model;
    const former = step.session === 'former' ? picked(fleet.formerSessions, step.worker) : undefined;
    const worker = former?.worker ?? picked(WORKERS, step.worker)!;
    const session = step.session === 'none' ? null : former?.session ?? fleet.workers.get(worker)?.session ?? null;
    const headers: Record<string, string> = session === null ? {} : { 'worker-session': session };
    if (step.verb === 'deregister') {
      check(await this.#call('DELETE', `/workers/${worker}`, undefined, headers), this.#model.deregister(worker, session));
    } else if (step.verb === 'heartbeat') {
      check(await this.#call('POST', `/workers/${worker}/heartbeat`, { status: 'idle' }, headers), this.#model.heartbeat(worker, session));
    } else {
      const answer = await this.#call('POST', `/workers/${worker}/claim`, step.request === null ? {} : { request_id: step.request }, headers);
      const expected = this.#model.claim(worker, session, step.request);
      check(answer, expected);
      if (expected.task === undefined) return;
      const { needs } = this.#model.tasks.get(expected.task.id);
      expect(answer.body.dependencies ?? {}).to.deep.equal(Object.fromEntries(needs.map(({ parent, name }) => [name, this.#model.tasks.get(parent).result])));
    }
  }

  /** Who reports about which task; null where there is nothing to report about. */
  #reporter({ at, pick, worker, withSession, withAttempt }: Aim): Reporter | null {
    const { tasks, fleet } = this.#model;
    const attempts = at === 'held'
      ? tasks.running.map((task) => ({ task: task.id, worker: task.holder!.worker, session: task.holder!.session, attempt: task.attempt }))
      : at === 'ended'
        ? tasks.all.flatMap((task) => task.attempts.map((one, n) => ({ task: task.id, worker: one.worker, session: one.session, attempt: n + 1 })))
        : tasks.all.map((task) => ({
            task: task.id, worker: picked(WORKERS, worker)!, session: fleet.workers.get(picked(WORKERS, worker)!)?.session ?? null, attempt: Math.max(1, task.attempt),
          }));
    const found = picked(attempts, pick);
    return found === undefined ? null : { ...found, session: withSession ? found.session : null, attempt: withAttempt ? found.attempt : null };
  }

  async #report(step: StepOf<'complete' | 'fail' | 'release' | 'log'>): Promise<void> {
    const reporter = this.#reporter(step.aim);
    if (reporter === null) return;
    const { worker, session, task, attempt } = reporter;
    const post = (verb: string, body?: unknown): Promise<Answer> => this.#call('POST', `/workers/${worker}/tasks/${task}/${verb}`, body, {
      ...(session === null ? {} : { 'worker-session': session }), ...(attempt === null ? {} : { 'task-attempt': String(attempt) }),
    });
    const { tasks } = this.#model;
    if (step.verb === 'complete') {
      const result = { n: step.n };
      check(await post('complete', result), this.#model.report('complete', reporter, (held) => {
        tasks.endAttempt(held, 'completed');
        tasks.end(held, 'completed', null, worker, result);
      }));
    } else if (step.verb === 'fail') {
      const { retryable, after } = step;
      check(await post('fail', { error: 'broken', retryable, ...(after === null ? {} : { retry_after_seconds: after }) }), this.#model.report('fail', reporter, (held) => {
        const backoff = held.spec.maxAttempts > 1 ? held.spec.backoffSeconds : 0;
        tasks.failAttempt(held, 'failed', retryable, (after ?? backoff) > 0);
      }));
    } else if (step.verb === 'release') {
      check(await post('release'), this.#model.report('release', reporter, (held) => {
        this.#model.release(held);
      }));
    } else {
      const entries = Array.from({ length: step.lines }, (_, n) => ({ message: `line ${n}` }));
      check(await post('logs', { entries, ...(step.offset === null ? {} : { offset: step.offset }) }), this.#model.log(reporter, step.lines, step.offset));
    }
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

  async #pass(move: Exclude<Move, 'lapse'>, pick: number): Promise<void> {
    const { live, running } = this.#model.tasks;
    const task = picked(move === 'overdue' ? running : live.filter((one) => (move === 'arrive' ? one.available : one.expires) === 'future'), pick);
    if (task === undefined) return;
    await moveTime(this.#db, move, task.id);
    if (move === 'overdue') task.holder!.overdue = true;
    else task[move === 'arrive' ? 'available' : 'expires'] = 'past';
  }
}
