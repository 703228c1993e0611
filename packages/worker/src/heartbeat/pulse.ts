/**
 * The main thread's end of the heartbeat thread. One thread serves all sessions that are opened with the same Pulses; it
 * begins with the first and ends with the last of them. Should the thread itself break, its sessions are over.
 */
import { Worker } from 'node:worker_threads';
import type { ApiHeaders, components, WorkerIdentity } from '@task-executor/shared';
import type { HeartbeatEvents, LeaseTerms, NamedAttempt, SessionOver } from './heartbeats.js';

/** Attempts begin and end in bursts: so long the thread is told nothing of them. */
const GATHER_MS = 100;

/** Some kilobytes are alive in the thread; without a bound its garbage would take as much memory as the main thread's. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

export interface ThreadData {
  /** The process ends when the main thread has not taken note of a session's end for so long; null: never. */
  readonly stuckMs: number | null;
}

export interface Opened extends LeaseTerms {
  readonly apiUrl: string;
  readonly apiHeaders: ApiHeaders;
  readonly identity: WorkerIdentity;
  readonly renewedAt: number;
}

/** To the thread; `key` is the session. */
export type Order =
  | ({ readonly kind: 'open'; readonly key: number } & Opened)
  | { readonly kind: 'name'; readonly key: number; readonly attempts: readonly NamedAttempt[] }
  | { readonly kind: 'wake'; readonly key: number; readonly renewedAt: number | null; readonly terms: LeaseTerms | null }
  | { readonly kind: 'rest' | 'heard' | 'close'; readonly key: number };

/** From the thread. */
export type Event =
  | { readonly kind: 'answered'; readonly key: number; readonly renewedAt: number; readonly leaseMs: number }
  | { readonly kind: 'directed'; readonly key: number; readonly directives: components['schemas']['Directives'] }
  | { readonly kind: 'failed'; readonly key: number; readonly error: string }
  | { readonly kind: 'over'; readonly key: number; readonly reason: SessionOver };

/** The heartbeats of one session, in the thread. */
export interface Pulse {
  /** To be called when what runs has changed: a moment later heartbeats name what `attempts` gives then. */
  name(attempts: () => readonly NamedAttempt[]): void;
  /** Lets a claim stand for the heartbeats until `wake`; see Heartbeats. */
  rest(): void;
  wake(renewedAt: number | null, terms: LeaseTerms | null): void;
  /** Ends the heartbeats; resolves when the thread has ended, where it was the last. Idempotent. */
  close(): Promise<void>;
}

/** The thread's file, compiled; or its source where this is one: a thread does not inherit the loader that tests run under. */
function threadFile(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./heartbeat-thread.js', import.meta.url);
  const source = new URL('./heartbeat-thread.ts', import.meta.url).href;
  return new URL(`data:text/javascript,import { register } from 'node:module'; register('tsx/esm', '${source}', { data: true }); await import('${source}');`);
}

export class Pulses {
  readonly #open = new Map<number, HeartbeatEvents>();
  readonly #stuckMs: number | null;
  #thread: Worker | null = null;
  #keys = 0;

  /** `stuckMs`: see ThreadData. Only for a process that is nothing but a worker. */
  constructor({ stuckMs = null }: { stuckMs?: number | null } = {}) {
    this.#stuckMs = stuckMs;
  }

  open(session: Opened, events: HeartbeatEvents): Pulse {
    this.#keys += 1;
    const key = this.#keys;
    const thread = this.#thread ??= this.#start();
    this.#open.set(key, events);
    const order = (one: Order): void => {
      thread.postMessage(one);
    };
    order({ kind: 'open', key, ...session });
    let gathering: NodeJS.Timeout | undefined;
    return {
      name: (attempts) => {
        gathering ??= setTimeout(() => {
          gathering = undefined;
          order({ kind: 'name', key, attempts: attempts() });
        }, GATHER_MS);
      },
      rest: () => {
        order({ kind: 'rest', key });
      },
      wake: (renewedAt, terms) => {
        order({ kind: 'wake', key, renewedAt, terms });
      },
      close: async () => {
        clearTimeout(gathering);
        if (!this.#open.delete(key)) return;
        order({ kind: 'close', key });
        if (this.#open.size > 0 || this.#thread !== thread) return;
        this.#thread = null;
        await thread.terminate();
      },
    };
  }

  #start(): Worker {
    const data: ThreadData = { stuckMs: this.#stuckMs };
    const thread = new Worker(threadFile(), { workerData: data, name: 'heartbeats', resourceLimits: THREAD_LIMITS });
    thread.on('message', (event: Event) => {
      if (event.kind === 'over') thread.postMessage({ kind: 'heard', key: event.key } satisfies Order);
      const events = this.#open.get(event.key);
      if (events === undefined) return;
      if (event.kind === 'answered') events.answered(event.renewedAt, event.leaseMs);
      else if (event.kind === 'directed') events.directed(event.directives);
      else if (event.kind === 'failed') events.failed(event.error);
      else events.over(event.reason);
    });
    thread.on('error', (error) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      for (const events of this.#open.values()) {
        events.failed(`the heartbeat thread broke: ${String(error)}`);
        events.over('ended');
      }
    });
    return thread;
  }
}
