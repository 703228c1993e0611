/**
 * The tasks of the model and what can befall one: it begins, its attempt ends, it ends, and with it what its dependents wait
 * for. Pure: no clock, no chance, no database.
 */
import { isLive, type AttemptEnd, type EndStatus, type Holder, type ModelTask } from './task.js';

export class Tasks {
  readonly #tasks = new Map<string, ModelTask>();
  /** Ended, and their dependents not yet told. */
  readonly #ended: ModelTask[] = [];
  /** By what is awaited, who stands, or stood, in for it last. */
  readonly #standIns = new Map<string, ModelTask>();

  /** In the order of their ids, which is that of their submission. */
  get all(): ModelTask[] {
    return [...this.#tasks.values()];
  }

  get live(): ModelTask[] {
    return this.all.filter(isLive);
  }

  get running(): ModelTask[] {
    return this.all.filter(({ state }) => state === 'running');
  }

  get(id: string): ModelTask {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Error(`the model has no task ${id}`);
    return task;
  }

  add(task: ModelTask): void {
    this.#tasks.set(task.id, task);
    // What it depends on may have ended before.
    this.#ended.push(...[task.id, ...task.open.keys()].map((id) => this.get(id)).filter((one) => !isLive(one)));
  }

  begin(task: ModelTask, holder: Holder): void {
    Object.assign(task, { state: 'running', reason: null, attempt: task.attempt + 1, holder, linesBefore: task.lines });
  }

  /** The running attempt is over. */
  endAttempt(task: ModelTask, outcome: AttemptEnd): void {
    const { holder } = task;
    if (holder === null) throw new Error(`the model's task ${task.id} does not run`);
    task.attempts.push({ worker: holder.worker, session: holder.session, outcome, late: null });
    task.holder = null;
  }

  /** It waits for another attempt, `delayed` or claimable at once. */
  requeue(task: ModelTask, delayed: boolean): void {
    Object.assign(task, delayed ? { state: 'waiting', reason: 'backing_off', available: 'future' } : { state: 'pending', reason: null });
  }

  /** Failed or timed out: another attempt where one is left, else the end. */
  failAttempt(task: ModelTask, outcome: 'failed' | 'timeout', again: boolean, delayed: boolean): void {
    const worker = task.holder?.worker ?? null;
    this.endAttempt(task, outcome);
    if (again && task.failures + 1 < task.spec.maxAttempts) {
      task.failures += 1;
      this.requeue(task, delayed);
      if (!delayed) task.available = null;
    } else this.end(task, outcome, outcome === 'failed' ? 'task_failed' : 'timed_out', worker);
  }

  /** Its worker went away. */
  loseAttempt(task: ModelTask): void {
    const worker = task.holder?.worker ?? null;
    this.endAttempt(task, 'lost');
    if (task.losses + 1 < task.spec.maxLost) {
      task.losses += 1;
      this.requeue(task, false);
    } else this.end(task, 'failed', 'workers_lost', worker);
  }

  end(task: ModelTask, state: EndStatus, reason: string | null, worker: string | null, result: Record<string, unknown> | null = null): void {
    Object.assign(task, { state, reason, endedBy: worker, result });
    task.open.clear();
    this.#ended.push(task);
  }

  cancel(task: ModelTask): void {
    const worker = task.holder?.worker ?? null;
    if (worker !== null) this.endAttempt(task, 'cancelled');
    this.end(task, 'cancelled', 'cancel_requested', worker);
  }

  /** Tells the dependents of everything that has ended, and theirs. */
  settle(): void {
    for (let parent = this.#ended.shift(); parent !== undefined; parent = this.#ended.shift()) {
      for (const child of this.live) if (child.open.get(parent.id) === 'needs') this.#tell(child, parent);
      const awaited = parent.standsFor ?? parent.id;
      const runner = this.#standIns.get(awaited) ?? parent;
      if (isLive(runner)) continue;
      const awaiting = this.live.filter((child) => child.open.get(awaited) === 'reuse');
      if (runner.state === 'completed') for (const child of awaiting) this.#take(child, runner);
      else this.#standIn(awaiting, awaited);
    }
  }

  /** A task that the child needs has ended. */
  #tell(child: ModelTask, parent: ModelTask): void {
    child.open.delete(parent.id);
    if (parent.state !== 'completed' && !child.spec.runAnyway) this.end(child, 'cancelled', 'dependency_failed', null);
    else this.#free(child);
  }

  /** The equal task that the child waited for has a result. */
  #take(child: ModelTask, parent: ModelTask): void {
    child.reusedFrom = parent.id;
    this.end(child, 'completed', 'reused', null, parent.result);
  }

  /** The equal task that these waited for has none: the one of them that would run first does its work for the others. */
  #standIn(awaiting: readonly ModelTask[], awaited: string): void {
    const isLater = ({ available }: ModelTask): number => (available === 'future' ? 1 : 0);
    const [first] = [...awaiting].sort((a, b) => isLater(a) - isLater(b) || a.rank - b.rank || (a.id < b.id ? -1 : 1));
    if (first === undefined) return;
    first.open.delete(awaited);
    first.standsFor = awaited;
    this.#standIns.set(awaited, first);
    this.#free(first);
  }

  #free(child: ModelTask): void {
    if (child.open.size > 0) return;
    Object.assign(child, child.available === 'future' ? { state: 'waiting', reason: 'scheduled' } : { state: 'pending', reason: null });
  }
}
