/** The workers of the model, what holds the queue back, and which task a claim takes. Pure. */
import { supportsProblem } from '@task-executor/shared';
import type { ModelTask } from './task.js';

export interface ModelWorker {
  readonly id: string;
  readonly session: string;
  readonly backend: string;
  readonly parallel: number;
  readonly globs: readonly string[];
  draining: boolean;
  /** Its lease is over, and no sweep has been through. */
  lapsed: boolean;
  ended: 'lapsed' | 'deregistered' | null;
}

export interface ModelLimit {
  readonly id: string;
  readonly key: string;
  readonly value: string | null;
  maxRunning: number;
}

/** What a task has for the key of a limit, on a worker with `backend`. */
function limitedValue(limit: ModelLimit, { spec }: ModelTask, backend: string): string | null {
  if (limit.key === 'problem_id') return spec.problem;
  if (limit.key === 'backend_type') return backend;
  return spec.labels[limit.key.slice('label:'.length)] ?? null;
}

export class Fleet {
  readonly workers = new Map<string, ModelWorker>();
  /** Sessions that were replaced, to be tried again. */
  readonly formerSessions: { readonly worker: string; readonly session: string }[] = [];
  readonly limits: ModelLimit[] = [];
  readonly pauses = new Set<string>();

  /** Whether `session` is the worker's, and live. */
  isLive(workerId: string, session: string): boolean {
    const worker = this.workers.get(workerId);
    return worker !== undefined && worker.session === session && worker.ended === null && !worker.lapsed;
  }

  /** The problem of a call under `session` (null: the current one), which is not live. */
  sessionProblem(workerId: string, session: string | null): string {
    const worker = this.workers.get(workerId);
    if (worker === undefined) return 'worker_not_found';
    return session !== null && session !== worker.session ? 'session_superseded' : 'session_ended';
  }

  /** The share of the limit that a task's value of its key uses on `backend`, or null where the limit is not about it. */
  #use(limit: ModelLimit, task: ModelTask, backend: string, running: readonly ModelTask[]): number | null {
    const value = limitedValue(limit, task, backend);
    if (value === null || (limit.value !== null && limit.value !== value)) return null;
    const used = running.filter((one) => limitedValue(limit, one, one.holder?.backend ?? '') === value).length;
    return used / limit.maxRunning;
  }

  /** The task that a claim takes, or null. */
  pick(worker: ModelWorker, tasks: readonly ModelTask[]): ModelTask | null {
    const running = tasks.filter(({ state }) => state === 'running');
    const held = running.filter(({ holder }) => holder?.session === worker.session).length;
    if (worker.draining || this.pauses.has('') || held >= worker.parallel) return null;
    const eligible = tasks.filter((task) =>
      task.state === 'pending' && task.expires !== 'past' && !this.pauses.has(task.spec.problem)
      && (task.spec.backend === null || task.spec.backend === worker.backend) && supportsProblem(worker.globs, task.spec.problem)
      && this.limits.every((limit) => (this.#use(limit, task, worker.backend, running) ?? 0) < 1));
    // Where a limit is about each value of its key, values that use less of it come first.
    const shareOf = (task: ModelTask): number =>
      Math.max(0, ...this.limits.filter(({ value }) => value === null).map((limit) => this.#use(limit, task, worker.backend, running) ?? 0));
    const [first] = eligible
      .map((task) => ({ task, share: shareOf(task) }))
      .sort((a, b) => a.share - b.share || a.task.rank - b.task.rank || (a.task.id < b.task.id ? -1 : 1));
    return first?.task ?? null;
  }
}
