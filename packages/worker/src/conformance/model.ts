/**
 * The API's side of the worker protocol, in memory: sessions, tasks, logs and reports, with the answers of the contract.
 * Made to test workers against, so it has no leases of its own and nothing goes wrong in it that was not asked for.
 */
import { randomUUID } from 'node:crypto';
import { LIMITS, PROBLEMS, supportsProblem, type ProblemCode } from '@task-executor/shared';
import { reportsIn, type Call, type ReportCall, type Verb } from './call.js';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface GivenTask {
  readonly id: string;
  readonly problem_id: string;
  readonly parameters: Record<string, unknown>;
  readonly timeout_seconds: number;
  readonly dependencies?: Record<string, Record<string, unknown> | null>;
  readonly dependencies_truncated?: readonly string[];
  readonly dependency_task_ids?: Record<string, string>;
  attempt: number;
}

/** How an attempt ended, and the lines that it had logged until then. */
export interface Ended {
  readonly verb: Verb;
  readonly body: Record<string, unknown>;
  readonly lines: readonly string[];
}

interface Held {
  readonly task: GivenTask;
  readonly session: string;
  readonly requestId: string | null;
  readonly lines: string[];
}

export interface Directives {
  cancel: { task_id: string; attempt: number; reason: string }[];
  lost: { task_id: string; attempt: number; reason: string }[];
  unnamed?: { task_id: string; attempt: number; request_id: string | null }[];
  drain: boolean;
}

export function problem(code: ProblemCode, more: Record<string, unknown> = {}, headers: Record<string, string> = {}): Reply {
  const { status, title, retryable } = PROBLEMS[code];
  return { status, headers, body: { type: 'about:blank', title, status, code, retryable, request_id: 'scripted', ...more } };
}

/** Whether a heartbeat names an attempt. */
function namedBy(call: Call): (one: { task_id: string; attempt: number }) => boolean {
  const named = (call.body.attempts ?? []) as { task_id: string; attempt: number }[];
  return (one) => named.some(({ task_id, attempt }) => task_id === one.task_id && attempt === one.attempt);
}

function capabilitiesIn(call: Call): { parallel: number; problems: readonly string[] } {
  const { max_parallel_tasks = 1, supported_problems = [] } = (call.body.capabilities ?? {}) as { max_parallel_tasks?: number; supported_problems?: string[] };
  return { parallel: max_parallel_tasks, problems: supported_problems };
}

export class Model {
  readonly pending: GivenTask[] = [];
  readonly running: Held[] = [];
  /** The attempts that have ended, by task and attempt. */
  readonly ended = new Map<string, Ended>();
  /** Reports of attempts that were not held any more, by task and attempt. */
  readonly late = new Map<string, Ended>();
  /** The text of each file, by task, attempt and name. */
  readonly artifacts = new Map<string, string>();
  /** The results of tasks that have completed, by their ids. */
  readonly results = new Map<string, Record<string, unknown>>();
  /** The live session of each worker. */
  readonly sessions = new Map<string, { session: string; parallel: number; problems: readonly string[] }>();
  readonly directives: Directives = { cancel: [], lost: [], drain: false };
  leaseSeconds = 30;
  intervalSeconds = 5;
  /** Whether claims may stand for heartbeats, and how long they then wait: the first, and those after an answer. */
  idleClaims: { waitSeconds: number; nextWaitSeconds: number } | null = null;
  /** Whether heartbeats may say whether the worker is fit: an API that is older than this refuses them. */
  hearsOfFitness = true;
  #registrations = 0;

  register(call: Call): Reply {
    const { worker_id: given, session: named } = call.body;
    const [known] = [...this.sessions].find(([, { session }]) => session === named) ?? [];
    if (known !== undefined) return this.#registered(known);
    this.#registrations += 1;
    const workerId = typeof given === 'string' ? given : `worker-${String(this.#registrations).padStart(3, '0')}-kind`;
    this.endSession(workerId);
    const session = typeof named === 'string' ? named : `00000000-0000-4000-8000-${String(this.#registrations).padStart(12, '0')}`;
    this.sessions.set(workerId, { session, ...capabilitiesIn(call) });
    return this.#registered(workerId);
  }

  #registered(workerId: string): Reply {
    return { status: 201, body: this.#worker(workerId, { cancel: [], lost: [], drain: false }) };
  }

  /** The answer to a heartbeat, or null while there is nothing to say that it has not been told. */
  heartbeat(call: Call, drainAtFirst: boolean): Reply | null {
    const refused = this.#refusal(call);
    if (refused !== null) return refused;
    if (call.body.unfit !== undefined && !this.hearsOfFitness) return problem('validation_failed');
    const live = this.sessions.get(call.workerId);
    if (call.body.capabilities !== undefined && live !== undefined) Object.assign(live, capabilitiesIn(call));
    const isNamed = namedBy(call);
    const { cancel, lost, drain } = this.directives;
    const news = { cancel: cancel.filter(isNamed), lost: lost.filter(isNamed), drain };
    if (news.cancel.length + news.lost.length === 0 && drain === drainAtFirst) return null;
    return { status: 200, body: this.#worker(call.workerId, { ...news, ...this.#unnamed(call) }) };
  }

  /** The answer to a heartbeat whose wait is over. */
  nothingNew(call: Call): Reply {
    const directives = { cancel: [], lost: [], ...this.#unnamed(call), drain: this.directives.drain };
    return this.#refusal(call) ?? { status: 200, body: this.#worker(call.workerId, directives) };
  }

  /** The answer to a claim, or null while there is no task. */
  claim(call: Call): Reply | null {
    const tasks = this.#claim(call, 1);
    return Array.isArray(tasks) ? { status: 200, body: tasks[0] } : tasks;
  }

  /** The answer to a claim of many, or null while there is no task. */
  claimMany(call: Call): Reply | null {
    const tasks = this.#claim(call, typeof call.body.max_tasks === 'number' ? call.body.max_tasks : LIMITS.defaultClaimedTasks);
    if (Array.isArray(tasks)) return this.#claimed(call, tasks);
    return tasks ?? (call.body.idle === true && this.directives.drain ? this.#claimed(call, []) : null);
  }

  /** The answer to a claim for many whose wait is over. */
  claimedNothing(call: Call): Reply {
    return this.#claimed(call, []);
  }

  logs(call: Call): Reply {
    const held = this.#held(call);
    if (held === null) return this.#notHeld(call);
    const offset = typeof call.body.offset === 'number' ? call.body.offset : held.lines.length;
    if (offset > held.lines.length) return problem('log_gap', { expected_offset: held.lines.length });
    const entries = (call.body.entries ?? []) as { message: string }[];
    const fresh = entries.slice(held.lines.length - offset).map((entry) => entry.message);
    held.lines.push(...fresh);
    return { status: 200, body: { accepted: fresh.length, next_offset: held.lines.length } };
  }

  progress(call: Call): Reply {
    return this.#held(call) === null ? this.#notHeld(call) : { status: 204 };
  }

  artifact(call: Call): Reply {
    if (this.#held(call) === null) return this.#notHeld(call);
    this.artifacts.set(`${call.taskId}/${call.attempt ?? ''}/${String(call.body.name)}`, String(call.body.text));
    return { status: 201, body: { id: randomUUID(), task_id: call.taskId, attempt: call.attempt, name: call.body.name } };
  }

  report(call: ReportCall): Reply {
    const { operation: verb } = call;
    const key = `${call.taskId}/${call.attempt ?? ''}`;
    const held = this.#held(call);
    if (held === null) {
      if (this.ended.get(key)?.verb === verb) return { status: 200, body: { id: call.taskId } };
      if (!this.late.has(key)) this.late.set(key, { verb, body: call.body, lines: [] });
      return this.#notHeld(call);
    }
    this.running.splice(this.running.indexOf(held), 1);
    this.ended.set(`${held.task.id}/${held.task.attempt}`, { verb, body: call.body, lines: held.lines });
    if (verb === 'release') this.pending.unshift(held.task);
    return { status: 200, body: this.#task(held.task) };
  }

  reportMany(call: Call): Reply {
    return {
      status: 200,
      body: {
        reports: reportsIn(call).map((one) => {
          const { taskId: task_id, attempt } = one;
          const { status, body } = this.report(one);
          const { code: problem, task_status, current_attempt } = (body ?? {}) as Record<string, unknown>;
          return status === 200 ? { task_id, attempt, accepted: true } : { task_id, attempt, accepted: false, problem, task_status, current_attempt };
        }),
      },
    };
  }

  /** A worker that takes nothing more of itself; that it keeps to it is for it to see to. */
  drain(call: Call): Reply {
    return this.#refusal(call) ?? { status: 200, body: {} };
  }

  leave(call: Call): Reply {
    const refused = this.#refusal(call);
    if (refused !== null) return refused.status === 409 && !this.sessions.has(call.workerId) ? { status: 204 } : refused;
    this.endSession(call.workerId);
    return { status: 204 };
  }

  task({ taskId }: Call): Reply {
    const result = this.results.get(taskId);
    return result === undefined ? problem('task_not_found') : { status: 200, body: { id: taskId, status: 'completed', result } };
  }

  /** Takes what a worker's session holds back to the queue; its calls are refused from now on. */
  endSession(workerId: string): void {
    const session = this.sessions.get(workerId)?.session;
    this.sessions.delete(workerId);
    for (const held of this.running.filter((one) => one.session === session)) {
      this.running.splice(this.running.indexOf(held), 1);
      this.pending.push(held.task);
    }
  }

  /** Gives a worker a task without telling it. */
  strand(workerId: string, task: GivenTask, requestId: string): void {
    task.attempt += 1;
    this.running.push({ task, session: this.sessions.get(workerId)?.session ?? '', requestId, lines: [] });
  }

  /** Takes a running attempt from its worker, which has not been told. */
  takeBack(taskId: string): void {
    const index = this.running.findIndex((held) => held.task.id === taskId);
    if (index >= 0) this.running.splice(index, 1);
  }

  #claim(call: Call, wanted: number): Record<string, unknown>[] | Reply | null {
    const refused = this.#refusal(call);
    if (refused !== null) return refused;
    const session = this.sessions.get(call.workerId);
    const requestId = typeof call.body.request_id === 'string' ? call.body.request_id : null;
    const again = this.running.filter((held) => requestId !== null && held.requestId === requestId && held.session === session?.session);
    if (again.length > 0) return again.map(({ task }) => this.#task(task));
    const holds = this.running.filter((held) => held.session === session?.session).length;
    const room = this.directives.drain ? 0 : Math.max(0, Math.min(wanted, (session?.parallel ?? 1) - holds));
    const tasks = this.pending.filter((task) => supportsProblem(session?.problems ?? [], task.problem_id)).slice(0, room);
    for (const task of tasks) {
      this.pending.splice(this.pending.indexOf(task), 1);
      task.attempt += 1;
      this.running.push({ task, session: session?.session ?? '', requestId, lines: [] });
    }
    return tasks.length === 0 ? null : tasks.map((task) => this.#task(task));
  }

  /** What the worker of a heartbeat that names its attempts holds beside them. */
  #unnamed(call: Call): Pick<Directives, 'unnamed'> {
    if (!Array.isArray(call.body.attempts)) return {};
    const session = this.sessions.get(call.workerId)?.session;
    const isNamed = namedBy(call);
    const unnamed = this.running
      .filter((held) => held.session === session)
      .map(({ task, requestId }) => ({ task_id: task.id, attempt: task.attempt, request_id: requestId }))
      .filter((one) => !isNamed(one));
    return unnamed.length > 0 ? { unnamed } : {};
  }

  #refusal(call: Call): Reply | null {
    const live = this.sessions.get(call.workerId);
    if (live === undefined) return problem('session_ended');
    return call.session !== null && call.session !== live.session ? problem('session_superseded') : null;
  }

  #held(call: Call): Held | null {
    return this.running.find(({ task, session }) =>
      task.id === call.taskId && (call.attempt === null || call.attempt === task.attempt) && (call.session === null || call.session === session)) ?? null;
  }

  #notHeld(call: Call): Reply {
    const live = this.sessions.get(call.workerId);
    if (live !== undefined && call.session !== null && call.session !== live.session) return problem('session_superseded');
    return problem('attempt_not_held', { task_status: 'pending', current_attempt: 1 });
  }

  #claimed(call: Call, tasks: readonly Record<string, unknown>[]): Reply {
    if (call.body.idle !== true) return { status: 200, body: { tasks } };
    const unnamed = tasks.length > 0 ? {} : this.#unnamed({ ...call, body: { attempts: [] } });
    const { drain } = this.directives;
    return {
      status: 200,
      body: {
        tasks, waited_seconds: (performance.now() - call.at) / 1000,
        lease_seconds: this.leaseSeconds, heartbeat_interval_seconds: this.intervalSeconds,
        ...(this.idleClaims !== null && { next_wait_seconds: this.idleClaims.nextWaitSeconds }),
        ...((drain || unnamed.unnamed !== undefined) && { directives: { cancel: [], lost: [], ...unnamed, drain } }),
      },
    };
  }

  #task(task: GivenTask): Record<string, unknown> {
    return { ...task, status: 'running', priority: 5 };
  }

  #worker(workerId: string, directives: Directives): Record<string, unknown> {
    return {
      id: workerId, session: this.sessions.get(workerId)?.session, status: 'idle', draining: directives.drain,
      lease_seconds: this.leaseSeconds, heartbeat_interval_seconds: this.intervalSeconds, directives,
      ...(this.idleClaims !== null && { idle_claims: true, claim_wait_seconds: this.idleClaims.waitSeconds }),
    };
  }
}
