/**
 * The service as it should be: what each call answers and what it changes. A call is made of the API first, and then of the
 * model, which is given what only the database can know (ids, sessions, moments). Pure.
 */
import type { Born } from './born.js';
import { Fleet, type ModelWorker } from './fleet.js';
import { Standing } from './standing.js';
import { hasExpired, rankOf, retried, retriedTogether, store, twinsOf, type Given, type Item } from './submissions.js';
import { isLive, statusOf, type AttemptEnd, type ModelTask } from './task.js';
import { Tasks } from './tasks.js';

/** What an answer shows of a task. */
export interface View {
  readonly id: string;
  readonly status: string;
  /** 'ready' stands for every reason that is about anything but the task. */
  readonly reason: string | null;
  readonly attempt: number;
  readonly worker_id: string | null;
  readonly priority: number;
  readonly result: Record<string, unknown> | null;
  readonly reused_from: string | null;
}

export interface Expected {
  readonly status: number;
  /** Of a problem. */
  readonly code?: string;
  readonly task?: View;
  /** In their order. */
  readonly tasks?: readonly View[];
  readonly directives?: Directives;
}

/** What a worker says that it runs; attempt null: whatever attempt of the task. */
export interface NamedAttempt {
  readonly task_id: string;
  readonly attempt: number | null;
}

export interface Directives {
  readonly cancel: readonly (NamedAttempt & { readonly reason: string })[];
  readonly lost: readonly (NamedAttempt & { readonly reason: string })[];
  readonly unnamed?: readonly { readonly task_id: string; readonly attempt: number; readonly request_id: string | null }[];
  readonly drain: boolean;
}

/** Who reports; null: the header is absent. */
export interface Reporter {
  readonly worker: string;
  readonly session: string | null;
  readonly task: string;
  readonly attempt: number | null;
}

const refused = (status: number, code: string): Expected => ({ status, code });
const ofProblem = (code: string): Expected => refused(code.endsWith('_not_found') ? 404 : 409, code);

export function viewOf(task: ModelTask): View {
  return {
    id: task.id, status: statusOf(task), reason: task.state === 'pending' ? 'ready' : task.reason, attempt: task.attempt,
    worker_id: task.holder?.worker ?? task.endedBy, priority: task.priority, result: task.result, reused_from: task.reusedFrom,
  };
}

export class Model {
  readonly tasks = new Tasks();
  readonly fleet = new Fleet();
  /** The tasks of each workflow, by its id. */
  readonly workflows = new Map<string, string[]>();
  readonly standing = new Standing(this.tasks, (items, given) => this.submit(items, given));

  /** Which of `items` are earlier tasks: see twinsOf. */
  twins(items: readonly Item[]): (string | number | null)[] {
    return twinsOf(items, this.tasks.all);
  }

  /** Ends what has expired and has the dedupe_key of an item; what depends on it is told later. */
  expireTwins(items: readonly Item[]): void {
    const keys = items.flatMap(({ spec }) => spec.dedupeKey ?? []);
    for (const task of this.tasks.live.filter(hasExpired)) {
      if (task.spec.dedupeKey !== null && keys.includes(task.spec.dedupeKey)) this.tasks.end(task, 'timeout', 'expired', null);
    }
  }

  /** Stores the items that `given` has facts of, and gives them as the answer shows them. */
  submit(items: readonly Item[], given: readonly (Given | null)[]): View[] {
    this.expireTwins(items);
    const stored = store(items, given, this.tasks.all);
    for (const task of stored) this.tasks.add(task);
    const views = stored.map(viewOf);
    this.tasks.settle();
    return views;
  }

  /** The retry of a task, or why there is none. */
  retry(id: string): Item | Expected {
    const task = this.tasks.get(id);
    if (isLive(task)) return ofProblem('task_not_terminal');
    return retriedTogether([task], this.tasks.all).items[0] ?? ofProblem('dependency_failed');
  }

  /** The retry of a workflow, or why there is none. */
  retryWorkflow(id: string): Item[] | Expected {
    const tasks = (this.workflows.get(id) ?? []).map((one) => this.tasks.get(one));
    if (tasks.some(isLive)) return ofProblem('workflow_running');
    const again = tasks.filter(({ state }) => state !== 'completed');
    if (again.length === 0) return ofProblem('workflow_completed');
    const place = new Map(again.map((task, n) => [task.id, n]));
    return again.map(retried).map((item) => ({ ...item, needs: item.needs.map(({ parent, name }) => ({ name, parent: place.get(String(parent)) ?? parent })) }));
  }

  cancelWorkflow(id: string): void {
    for (const task of (this.workflows.get(id) ?? []).map((one) => this.tasks.get(one)).filter(isLive)) this.tasks.cancel(task);
    this.tasks.settle();
  }

  cancel(id: string): Expected {
    const task = this.tasks.get(id);
    if (!isLive(task)) return ofProblem('task_terminal');
    this.tasks.cancel(task);
    this.tasks.settle();
    return { status: 200, task: viewOf(task) };
  }

  /** `runAtMs` lies in the past or the future, as `start` says. */
  adjust(id: string, priority: number | null, start: 'past' | 'future' | null, runAtMs: number): Expected {
    const task = this.tasks.get(id);
    if (!isLive(task)) return ofProblem('task_terminal');
    if (task.state === 'running') return ofProblem('task_running');
    const before = task.priority;
    task.priority = priority ?? before;
    task.rank = start === null ? task.rank + rankOf(0, task.priority) - rankOf(0, before) : rankOf(Math.max(task.createdAtMs, runAtMs), task.priority);
    task.available = start ?? task.available;
    if (task.open.size === 0) {
      if (task.available !== 'future') Object.assign(task, { state: 'pending', reason: null });
      else Object.assign(task, { state: 'waiting', reason: start === null ? task.reason : 'scheduled' });
    }
    return { status: 200, task: viewOf(task) };
  }

  register(worker: ModelWorker): void {
    const former = this.fleet.workers.get(worker.id);
    if (former !== undefined) this.fleet.formerSessions.push({ worker: former.id, session: former.session });
    this.fleet.workers.set(worker.id, worker);
    this.#takeBack((holder) => holder.worker === worker.id && holder.session !== worker.session, 'lost');
  }

  deregister(id: string, session: string | null): Expected {
    const worker = this.fleet.workers.get(id);
    if (worker === undefined) return ofProblem('worker_not_found');
    if (session !== null && session !== worker.session) return ofProblem('session_superseded');
    if (worker.ended === null) {
      worker.ended = 'deregistered';
      this.#takeBack((holder) => holder.session === worker.session, 'released');
    }
    return { status: 204 };
  }

  heartbeat(id: string, session: string | null, named: readonly NamedAttempt[]): Expected {
    const worker = this.fleet.workers.get(id);
    if (worker === undefined || !this.fleet.isLive(id, session ?? worker.session)) return ofProblem(this.fleet.sessionProblem(id, session));
    const lost = named.flatMap(({ task_id: taskId, attempt }) => {
      const task = this.tasks.all.find((one) => one.id === taskId);
      const isHeld = task?.holder?.session === worker.session && (attempt === null || attempt === task.attempt);
      return isHeld ? [] : [{ task_id: taskId, attempt, reason: task === undefined ? 'unknown' : statusOf(task) }];
    });
    const isStopped = ({ reason }: { reason: string }): boolean => reason === 'cancelled' || reason === 'timeout';
    const unnamed = this.tasks.running
      .filter(({ id: taskId, attempt, holder }) =>
        holder?.session === worker.session && !named.some((one) => one.task_id === taskId && (one.attempt ?? attempt) === attempt))
      .map(({ id: taskId, attempt, holder }) => ({ task_id: taskId, attempt, request_id: holder?.request ?? null }));
    return {
      status: 200,
      directives: { cancel: lost.filter(isStopped), lost: lost.filter((one) => !isStopped(one)), unnamed, drain: worker.draining },
    };
  }

  drain(id: string, draining: boolean): Expected {
    const worker = this.fleet.workers.get(id);
    if (worker === undefined) return ofProblem('worker_not_found');
    if (draining && !this.fleet.isLive(id, worker.session)) return ofProblem('session_ended');
    worker.draining = draining;
    return { status: 200 };
  }

  claim(id: string, session: string | null, request: string | null): Expected {
    const { status, code, tasks } = this.claimBatch(id, session, request, 1);
    const [task] = tasks ?? [];
    return code !== undefined ? refused(status, code) : task === undefined ? { status: 204 } : { status: 200, task };
  }

  claimBatch(id: string, session: string | null, request: string | null, most: number): Expected {
    const worker = this.fleet.workers.get(id);
    if (worker === undefined || !this.fleet.isLive(id, session ?? worker.session)) return ofProblem(this.fleet.sessionProblem(id, session));
    const again = this.tasks.running.filter(({ holder }) => request !== null && holder?.session === worker.session && holder.request === request);
    if (again.length > 0) return { status: 200, tasks: again.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1)).map(viewOf) };
    const taken: ModelTask[] = [];
    // Under limits one at a time.
    while (taken.length < (this.fleet.limits.length > 0 ? 1 : most)) {
      const task = this.fleet.pick(worker, this.tasks.all);
      if (task === null) break;
      this.tasks.begin(task, { worker: id, session: worker.session, backend: worker.backend, request, overdue: false });
      taken.push(task);
    }
    return { status: 200, tasks: taken.map(viewOf) };
  }

  report(kind: 'complete' | 'fail' | 'release', reporter: Reporter, act: (task: ModelTask) => void): Expected {
    const task = this.tasks.get(reporter.task);
    if (this.#holds(task, reporter)) {
      act(task);
      const view = viewOf(task);
      this.tasks.settle();
      return { status: 200, task: view };
    }
    const outcome = ({ complete: 'completed', fail: 'failed', release: 'released' } as const)[kind];
    if (this.#wasReported(task, reporter, outcome)) return { status: 200, task: viewOf(task) };
    if (outcome !== 'released') this.#keepLate(task, reporter, outcome);
    return this.#refusal(reporter);
  }

  /** `offset` null: after what is there. */
  log(reporter: Reporter, lines: number, offset: number | null): Expected {
    const task = this.tasks.get(reporter.task);
    if (!this.#holds(task, reporter)) return this.#refusal(reporter);
    const before = task.lines - task.linesBefore;
    if (offset !== null && offset > before) return ofProblem('log_gap');
    task.lines += Math.max(0, (offset ?? before) + lines - before);
    return { status: 200 };
  }

  progress(reporter: Reporter, step: number): Expected {
    const task = this.tasks.get(reporter.task);
    if (!this.#holds(task, reporter)) return this.#refusal(reporter);
    task.progress.set(task.attempt, step);
    return { status: 204 };
  }

  /** `born`: what came into being by it. */
  sweep(born: Born): void {
    this.#sweepTasks();
    this.standing.sweep(born);
  }

  #sweepTasks(): void {
    for (const worker of this.fleet.workers.values()) {
      if (worker.lapsed && worker.ended === null) worker.ended = 'lapsed';
    }
    this.#takeBack(({ session, worker }) => {
      const { session: current, ended } = this.fleet.workers.get(worker) ?? {};
      return session !== current || ended === 'lapsed';
    }, 'lost');
    for (const task of this.tasks.running.filter(({ holder }) => holder?.overdue)) {
      this.tasks.failAttempt(task, 'timeout', true, task.spec.backoffSeconds > 0);
    }
    this.tasks.settle();
    for (const task of this.tasks.live.filter(hasExpired)) {
      this.tasks.end(task, 'timeout', 'expired', null);
    }
    for (const task of this.tasks.live.filter(({ state, open, available }) => state === 'waiting' && open.size === 0 && available !== 'future')) {
      this.tasks.requeue(task, false);
    }
    this.tasks.settle();
  }

  #takeBack(which: (holder: NonNullable<ModelTask['holder']>) => boolean, outcome: 'lost' | 'released'): void {
    for (const task of this.tasks.running.filter(({ holder }) => holder !== null && which(holder))) {
      if (outcome === 'lost') this.tasks.loseAttempt(task);
      else this.release(task);
    }
    this.tasks.settle();
  }

  release(task: ModelTask): void {
    this.tasks.endAttempt(task, 'released');
    this.tasks.requeue(task, false);
  }

  #holds(task: ModelTask, { worker, session, attempt }: Reporter): boolean {
    const { holder } = task;
    return holder?.worker === worker && holder.session === (session ?? this.fleet.workers.get(worker)?.session)
      && (attempt === null || attempt === task.attempt);
  }

  /** The ended attempt that a report speaks of. Absent headers stand for any session, and for the worker's last one. */
  #spokenOf(task: ModelTask, { worker, session, attempt }: Reporter): ModelTask['attempts'][number] | undefined {
    const number = attempt ?? task.attempts.findLastIndex((one) => one.worker === worker) + 1;
    const ended = task.attempts[number - 1];
    return ended?.worker === worker && (session === null || session === ended.session) ? ended : undefined;
  }

  #wasReported(task: ModelTask, reporter: Reporter, outcome: AttemptEnd): boolean {
    return this.#spokenOf(task, reporter)?.outcome === outcome;
  }

  #keepLate(task: ModelTask, reporter: Reporter, outcome: 'completed' | 'failed'): void {
    const ended = this.#spokenOf(task, reporter);
    if (ended !== undefined && ['lost', 'timeout', 'cancelled', 'released'].includes(ended.outcome)) ended.late ??= outcome;
  }

  #refusal({ worker, session }: Reporter): Expected {
    const current = this.fleet.workers.get(worker);
    if (current === undefined) return ofProblem('worker_not_found');
    return ofProblem(session !== null && session !== current.session ? 'session_superseded' : 'attempt_not_held');
  }
}
