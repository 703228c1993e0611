/** The steps of a history that report: one attempt at a time, or several of a worker at once. */
import { expect } from 'chai';
import type { Answer } from '../support/api.js';
import { check } from './check.js';
import type { Model, Reporter } from './model.js';
import { picked, type Aim, type StepOf } from './steps.js';
import type { Call } from './submitter.js';
import type { ModelTask } from './task.js';

export const WORKERS = ['worker-001-kind', 'worker-002-kind', 'worker-003-kind'];

type Attempt = Reporter & { readonly attempt: number };

export class Reporting {
  readonly #model: Model;
  readonly #call: Call;

  constructor(model: Model, call: Call) {
    this.#model = model;
    this.#call = call;
  }

  /** The attempts that are running, and those that are over. */
  get #held(): Attempt[] {
    return this.#model.tasks.running.map((task) => ({ task: task.id, worker: task.holder!.worker, session: task.holder!.session, attempt: task.attempt }));
  }

  get #ended(): Attempt[] {
    return this.#model.tasks.all.flatMap((task) => task.attempts.map((one, n) => ({ task: task.id, worker: one.worker, session: one.session, attempt: n + 1 })));
  }

  /** Who reports about which task; null where there is nothing to report about. */
  #reporter({ at, pick, worker, withSession, withAttempt }: Aim): Reporter | null {
    const { tasks, fleet } = this.#model;
    const attempts = at === 'held' ? this.#held : at === 'ended' ? this.#ended : tasks.all.map((task): Reporter => ({
      task: task.id, worker: picked(WORKERS, worker)!, session: fleet.workers.get(picked(WORKERS, worker)!)?.session ?? null, attempt: Math.max(1, task.attempt),
    }));
    const found = picked(attempts, pick);
    return found === undefined ? null : { ...found, session: withSession ? found.session : null, attempt: withAttempt ? found.attempt : null };
  }

  async report(step: StepOf<'complete' | 'fail' | 'release' | 'log' | 'progress'>): Promise<void> {
    const reporter = this.#reporter(step.aim);
    if (reporter === null) return;
    const { worker, session, task, attempt } = reporter;
    const post = (verb: string, body?: unknown): Promise<Answer> => this.#call('POST', `/workers/${worker}/tasks/${task}/${verb}`, body, {
      ...(session === null ? {} : { 'worker-session': session }), ...(attempt === null ? {} : { 'task-attempt': String(attempt) }),
    });
    if (step.verb === 'complete') {
      const result = { n: step.n };
      check(await post('complete', result), this.#model.report('complete', reporter, (held) => {
        this.#complete(held, result);
      }));
    } else if (step.verb === 'fail') {
      const { retryable, after } = step;
      check(await post('fail', { error: 'broken', retryable, ...(after === null ? {} : { retry_after_seconds: after }) }), this.#model.report('fail', reporter, (held) => {
        this.#fail(held, retryable, after);
      }));
    } else if (step.verb === 'release') {
      check(await post('release'), this.#model.report('release', reporter, (held) => {
        this.#model.release(held);
      }));
    } else if (step.verb === 'progress') {
      check(await post('progress', { step: step.step }), this.#model.progress(reporter, step.step));
    } else {
      const entries = Array.from({ length: step.lines }, (_, n) => ({ message: `line ${n}` }));
      check(await post('logs', { entries, ...(step.offset === null ? {} : { offset: step.offset }) }), this.#model.log(reporter, step.lines, step.offset));
    }
  }

  /** Several reports of a worker: each is taken or refused as if it came alone, in their order. */
  async reports({ worker: place, session: kind, items }: StepOf<'reports'>): Promise<void> {
    const { fleet } = this.#model;
    const former = kind === 'former' ? picked(fleet.formerSessions, place) : undefined;
    const worker = former?.worker ?? picked(WORKERS, place)!;
    const session = kind === 'none' ? null : former?.session ?? fleet.workers.get(worker)?.session ?? null;
    const own = [...this.#held.map((one) => ({ ...one, most: 2 })), ...this.#ended.map((one) => ({ ...one, most: 1 }))].filter((one) => one.worker === worker);
    // Which of two late reports in one call is kept is open; of an attempt that is held the second one is late.
    const reports = items.flatMap(({ pick, outcome }) => {
      const found = picked(own, pick);
      if (found === undefined || found.most === 0) return [];
      found.most -= 1;
      return [{ ...found, session, outcome }];
    });
    if (reports.length === 0) return;
    const answer = await this.#call('POST', `/workers/${worker}/report`, {
      reports: reports.map(({ task, attempt, outcome }, n) => ({
        task_id: task, attempt, outcome, ...(outcome === 'completed' ? { result: { n } } : outcome === 'failed' ? { error: 'broken' } : {}),
      })),
    }, session === null ? {} : { 'worker-session': session });
    const expected = reports.map(({ outcome, ...reporter }, n) => {
      const { status, code } = outcome === 'completed'
        ? this.#model.report('complete', reporter, (held) => {
            this.#complete(held, { n });
          })
        : outcome === 'failed'
          ? this.#model.report('fail', reporter, (held) => {
              this.#fail(held, true, null);
            })
          : this.#model.report('release', reporter, (held) => {
              this.#model.release(held);
            });
      return `${reporter.task} ${reporter.attempt} ${status === 200} ${code ?? ''}`;
    });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    const receipts = answer.body.reports as { task_id: string; attempt: number; accepted: boolean; problem?: string }[];
    expect(receipts.map((one) => `${one.task_id} ${one.attempt} ${one.accepted} ${one.problem ?? ''}`)).to.deep.equal(expected);
  }

  #complete(held: ModelTask, result: Record<string, unknown>): void {
    const worker = held.holder?.worker ?? null;
    this.#model.tasks.endAttempt(held, 'completed');
    this.#model.tasks.end(held, 'completed', null, worker, result);
  }

  #fail(held: ModelTask, retryable: boolean, after: number | null): void {
    const backoff = held.spec.maxAttempts > 1 ? held.spec.backoffSeconds : 0;
    this.#model.tasks.failAttempt(held, 'failed', retryable, (after ?? backoff) > 0);
  }
}
