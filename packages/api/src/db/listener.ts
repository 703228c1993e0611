/**
 * LISTEN and NOTIFY between replicas: that there is work, that a worker is to be told something, that a task is followed, that it
 * has changed. Hints and nothing more: one that is lost costs the interval of a poll. The connection is its own, always drained,
 * and comes back by itself. Where there is no way to PostgreSQL past a pooler, there is none, and replicas poll.
 */
import type pg from 'pg';
import { backoffMs } from '@task-executor/shared';
import type { Logger } from 'pino';
import { SafeClient } from './safe-client.js';
import { SESSION_OPTIONS } from './settings.js';

export type Topic = 'work' | 'workers' | 'tasks' | 'following';
const CHANNELS: Record<Topic, string> = {
  work: 'task_executor_work', workers: 'task_executor_workers', tasks: 'task_executor_tasks', following: 'task_executor_following',
};
const RECONNECT = { initialMs: 200, maxMs: 5_000 };
/** Payloads of NOTIFY hold at most 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_000;
/** Hints that may wait to be sent; more are lost. */
const MAX_UNSENT = 10_000;

export class Listener {
  #client: pg.Client | null = null;
  /** The client once it listens. */
  #connected: pg.Client | null = null;
  /** By channel and payload: a hint that is to be sent already is not sent twice. */
  readonly #unsent = new Map<string, [channel: string, payload: string]>();
  #sending = false;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #stopped = false;
  readonly #url: string | null;
  readonly #handlers = new Map<string, (payload: string) => void>();
  readonly #log: Logger;

  /** `url` leads to a server that keeps sessions; null: nothing is told and nothing is heard. */
  constructor(url: string | null, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  /** Whether what other replicas do is heard of at all. */
  get hears(): boolean {
    return this.#url !== null;
  }

  /** What to do with hints about `topic`; before the start. */
  on(topic: Topic, handler: (payload: string) => void): void {
    this.#handlers.set(CHANNELS[topic], handler);
  }

  /** Connects, and keeps connected until stopped. Resolves when the first try has ended, well or not. */
  async start(): Promise<void> {
    if (this.#stopped || this.#url === null) return;
    const client = new SafeClient({
      connectionString: this.#url,
      application_name: 'task-executor-api listener',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      options: SESSION_OPTIONS,
    });
    client.on('error', () => {
      this.#lost(client);
    });
    client.on('end', () => {
      this.#lost(client);
    });
    client.on('notification', ({ channel, payload }) => {
      if (payload !== undefined) this.#handlers.get(channel)?.(payload);
    });
    this.#client = client;
    try {
      await client.connect();
      for (const channel of this.#handlers.keys()) await client.query(`listen ${channel}`);
      this.#failures = 0;
      if (this.#client === client) this.#connected = client;
      void this.#send();
    } catch (error) {
      const level = this.#failures === 0 ? 'warn' : 'debug';
      this.#log[level]({ event: 'listener_failed', error: String(error) }, 'hints of other replicas are not heard');
      this.#lost(client);
    }
  }

  /** Tells all replicas, this one too; never waits, never fails. */
  notify(topic: Topic, payload: string): void {
    if (!this.hears || this.#unsent.size >= MAX_UNSENT || Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) return;
    this.#unsent.set(`${topic} ${payload}`, [CHANNELS[topic], payload]);
    void this.#send();
  }

  /** Sends what there is, one statement after the other; what comes meanwhile goes with the next. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#connected !== null && this.#unsent.size > 0) {
      const hints = [...this.#unsent.values()];
      this.#unsent.clear();
      await this.#connected.query('select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as hints (channel, payload)', [
        hints.map(([channel]) => channel), hints.map(([, payload]) => payload),
      ]).catch(() => undefined);
    }
    this.#sending = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    this.#connected = null;
    await client?.end().catch(() => undefined);
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client || this.#stopped) return;
    this.#client = null;
    this.#connected = null;
    client.end().catch(() => undefined);
    this.#failures += 1;
    this.#timer = setTimeout(() => void this.start(), backoffMs(RECONNECT, this.#failures, Math.random()));
    this.#timer.unref();
  }
}
