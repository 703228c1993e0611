/**
 * LISTEN and NOTIFY between replicas: "there is work". A hint and nothing more: one that is lost costs the interval of the
 * poll. The connection is its own, always drained, and comes back by itself.
 */
import pg from 'pg';
import { backoffMs } from '@task-executor/shared';
import type { Logger } from 'pino';
import { SESSION_OPTIONS } from './database.js';

const CHANNEL = 'task_executor_work';
const RECONNECT = { initialMs: 200, maxMs: 5_000 };
/** Payloads of NOTIFY hold at most 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_000;

export class Listener {
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #stopped = false;
  readonly #url: string;
  readonly #onHint: (payload: string) => void;
  readonly #log: Logger;

  constructor(url: string, onHint: (payload: string) => void, log: Logger) {
    this.#url = url;
    this.#onHint = onHint;
    this.#log = log;
  }

  /** Connects, and keeps connected until stopped. Resolves when the first try has ended, well or not. */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const client = new pg.Client({
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
    client.on('notification', ({ payload }) => {
      if (payload !== undefined) this.#onHint(payload);
    });
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.#failures = 0;
    } catch (error) {
      this.#log.debug({ event: 'listener_failed', error: String(error) }, 'hints of other replicas are not heard');
      this.#lost(client);
    }
  }

  /** Tells the other replicas; never waits, never fails. */
  notify(payload: string): void {
    if (this.#client === null || Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) return;
    this.#client.query('select pg_notify($1, $2)', [CHANNEL, payload]).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client || this.#stopped) return;
    this.#client = null;
    client.end().catch(() => undefined);
    this.#failures += 1;
    this.#timer = setTimeout(() => void this.start(), backoffMs(RECONNECT, this.#failures, Math.random()));
    this.#timer.unref();
  }
}
