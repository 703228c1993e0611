/**
 * An API to test workers against, over real HTTP: it answers as the model does, unless a script says otherwise, and keeps
 * every call. Whoever tests waits for calls, never for time.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Change } from '../change.js';
import { operationOf, type Call, type Operation } from './call.js';
import { Model, problem, type GivenTask, type Reply } from './model.js';

/**
 * What a script makes of a call: an answer; `cut`, the connection breaks before the call is carried out; `lose`, it breaks
 * after that; `hang`, no answer comes; `usual`, what the model says; a function, what the model says once it has changed it.
 */
export type Scripted = Reply | 'cut' | 'lose' | 'hang' | 'usual' | (() => void);

export class ScriptedApi {
  readonly model = new Model();
  readonly calls: Call[] = [];
  readonly #scripts: { readonly operations: readonly Operation[]; readonly reply: Scripted }[] = [];
  readonly #change = new Change();
  #standing = new Map<Operation, Scripted>();
  #server: Server | null = null;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens: on any free port the first time, on the same one again after `stop`. */
  async start(): Promise<string> {
    const server = createServer((req, res) => {
      this.#answer(req, res).catch(() => {
        res.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this.url;
  }

  /** Cuts every connection and takes no new one. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    this.#change.tell();
    await closed;
  }

  /** Answers the next calls of a kind, or of any of these kinds, by `replies`, one after another. */
  script(operations: Operation | readonly Operation[], ...replies: Scripted[]): void {
    for (const reply of replies) this.#scripts.push({ operations: [operations].flat(), reply });
  }

  /** Answers all calls of a kind, or of these kinds, so, or as usual again. */
  always(operations: Operation | readonly Operation[], reply: Scripted): void {
    for (const operation of [operations].flat()) this.#standing.set(operation, reply);
  }

  /** Adds a task to the queue. */
  give(more: Partial<GivenTask> = {}): GivenTask {
    const task = newTask(more);
    this.model.pending.push(task);
    this.#change.tell();
    return task;
  }

  /** Gives a worker a new task that no answer brings it, as a late copy of the claim `requestId` does. */
  strand(workerId: string, more: Partial<GivenTask> = {}, requestId = 'an-old-claim'): GivenTask {
    const task = newTask(more);
    this.model.strand(workerId, task, requestId);
    return task;
  }

  /** Lets every hanging heartbeat and claim look again; to be called after the model was changed. */
  look(): void {
    this.#change.tell();
  }

  cancel(task: GivenTask): void {
    this.model.directives.cancel.push({ task_id: task.id, attempt: task.attempt, reason: 'cancelled' });
    this.model.takeBack(task.id);
    this.#change.tell();
  }

  of(...operations: Operation[]): Call[] {
    return this.calls.filter((call) => operations.includes(call.operation));
  }

  /** Resolves when `condition` gives a value; it is asked again at every call and every answer. */
  async until<T>(condition: () => T | undefined | false | null, stop: AbortSignal = new AbortController().signal): Promise<T> {
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== false && value !== null) return value;
      if (stop.aborted) throw new Error('the time is over');
      await this.#change.next(stop);
    }
  }

  /** Resolves with the calls of a kind once there are `count`. */
  untilCalls(operation: Operation, count = 1, stop?: AbortSignal): Promise<Call[]> {
    return this.until(() => {
      const calls = this.of(operation);
      return calls.length >= count && calls;
    }, stop);
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    const call = callOf(req, text);
    if (typeof call === 'string') {
      send(res, problem('malformed_json', { detail: call }));
      return;
    }
    this.calls.push(call);
    this.#change.tell();
    const gone = new AbortController();
    res.on('close', () => {
      gone.abort();
    });
    const scripted = this.#scripted(call.operation);
    if (scripted === 'hang') return;
    if (scripted === 'cut') {
      res.destroy();
      return;
    }
    if (typeof scripted === 'function') scripted();
    const reply = typeof scripted === 'object' ? scripted : await this.#usual(call, gone.signal);
    if (gone.signal.aborted) return;
    if (scripted === 'lose') res.destroy();
    else {
      call.status = reply.status;
      send(res, reply);
    }
    this.#change.tell();
  }

  #scripted(operation: Operation): Scripted {
    const next = this.#scripts.findIndex(({ operations }) => operations.includes(operation));
    const [script] = next < 0 ? [] : this.#scripts.splice(next, 1);
    return script?.reply ?? this.#standing.get(operation) ?? 'usual';
  }

  async #usual(call: Call, gone: AbortSignal): Promise<Reply> {
    const { model } = this;
    switch (call.operation) {
      case 'register': return model.register(call);
      case 'heartbeat': {
        const drain = typeof call.body.draining === 'boolean' ? call.body.draining : model.directives.drain;
        return (await this.#hanging(call, gone, () => model.heartbeat(call, drain))) ?? model.nothingNew(call);
      }
      case 'claim': return (await this.#hanging(call, gone, () => model.claim(call))) ?? { status: 204 };
      case 'claim-batch': return (await this.#hanging(call, gone, () => model.claimMany(call))) ?? model.claimedNothing(call);
      case 'report': return model.reportMany(call);
      case 'logs': return model.logs(call);
      case 'progress': return model.progress(call);
      case 'artifacts': return model.artifact(call);
      case 'drain': return model.drain(call);
      case 'leave': return model.leave(call);
      case 'task': return model.task(call);
      case 'other': return problem('path_not_found');
      default: return model.report({ ...call, operation: call.operation });
    }
  }

  /** What `ask` gives, asked again at every change, or null when the time that the call wanted to wait is over. */
  async #hanging(call: Call, gone: AbortSignal, ask: () => Reply | null): Promise<Reply | null> {
    const asked = typeof call.body.wait_seconds === 'number' ? call.body.wait_seconds : 0;
    const seconds = call.operation === 'heartbeat' ? Math.min(asked, this.model.intervalSeconds) : asked;
    const over = new AbortController();
    const stop = AbortSignal.any([gone, over.signal]);
    void sleep(seconds * 1000, undefined, { signal: stop }).catch(() => undefined).then(() => {
      over.abort();
    });
    try {
      for (;;) {
        // A task must not be given to a caller that has gone.
        if (gone.aborted) return null;
        const reply = ask();
        if (reply !== null || stop.aborted) return reply;
        await this.#change.next(stop);
      }
    } finally {
      over.abort();
    }
  }
}

function callOf(req: IncomingMessage, text: string): Call | string {
  const [path = '', query = ''] = (req.url ?? '').split('?');
  const method = req.method ?? '';
  const { operation } = operationOf(method, path);
  let body: unknown = {};
  try {
    if (operation === 'artifacts') body = { name: new URLSearchParams(query).get('name'), text };
    else if (text !== '') body = JSON.parse(text);
  } catch (error) {
    return String(error);
  }
  const header = (name: string): string | null => {
    const value = req.headers[name];
    return typeof value === 'string' ? value : null;
  };
  const attempt = header('task-attempt');
  return {
    ...operationOf(method, path), method, path, at: performance.now(), contentType: header('content-type'),
    session: header('worker-session'), attempt: attempt === null ? null : Number(attempt),
    body: (typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}) as Record<string, unknown>,
    status: null,
  };
}

function send(res: ServerResponse, { status, body, headers = {} }: Reply): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  res.writeHead(status, { ...(body === undefined ? {} : { 'content-type': type }), ...headers });
  res.end(body === undefined ? '' : JSON.stringify(body));
}

function newTask(more: Partial<GivenTask>): GivenTask {
  return { id: randomUUID(), problem_id: 'test-conformance', parameters: {}, timeout_seconds: 60, attempt: 0, ...more };
}
