/**
 * The workers of this process: the worker package, started in here and speaking to this API over loopback HTTP like any
 * other worker. Ids that this server's earlier life held are taken again, so that a restart after a crash gets their
 * tasks back at once. Calls that change the number of workers run one after another; a stop or a scale breaks off what still waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, ApiError, backoffMs, type components } from '@task-executor/shared';
import { Pulses, startWorker, type RunningWorker } from '@task-executor/worker';
import type { Logger } from 'pino';

/** How long a scale waits for its workers before it answers how far it came. */
const SCALE_MS = 5_000;

type Status = components['schemas']['InternalWorkersStatus'];

/** With these, a database may be away for a minute just after a start. */
const LIST_TRIES = 20;
const LIST_RETRY = { initialMs: 200, maxMs: 5_000 };

export interface InternalWorkersOptions {
  /** The address at which this API listens. */
  readonly apiUrl: string;
  /** What tells this server's workers from other servers', and stays the same over its restarts. */
  readonly owner: string;
  readonly log: Logger;
}

export class InternalWorkers {
  #workers: RunningWorker[] = [];
  /** The thread for the heartbeats of all workers; it ends with the last of them. */
  readonly #pulses = new Pulses();
  #wanted: number;
  #turn: Promise<unknown> = Promise.resolve();
  #running = false;
  #options: InternalWorkersOptions | null = null;
  #earlierIds: string[] = [];
  /** Aborts when what was asked for is not wanted any more: while the database is away, it would wait without end. */
  #asked = new AbortController();
  /** Aborts when the ids are not wanted any more; a scale still wants them. */
  readonly #stopped = new AbortController();
  /** Whether it has ended: whatever is asked for later starts nothing. */
  #ended = false;
  readonly #scaleMs: number;

  constructor(count: number, scaleMs = SCALE_MS) {
    this.#wanted = count;
    this.#scaleMs = scaleMs;
  }

  /** To be called once the server listens, before all other calls, which wait for it. */
  attach(options: InternalWorkersOptions): Promise<void> {
    const { signal } = this.#stopped;
    return this.#inTurn(async () => {
      try {
        this.#earlierIds = await liveIdsOf(options.owner, options.apiUrl, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      this.#options = options;
    });
  }

  status(): Status {
    return {
      running: this.#running,
      num_workers: this.#workers.length,
      workers: this.#workers.flatMap((worker) =>
        worker.id === null ? [] : [{ id: worker.id, status: worker.status, current_task_id: worker.currentTaskId }]),
    };
  }

  /** Whether all that should run have registered; not before they could. */
  ready(): boolean {
    return this.#options !== null && this.#workers.every((worker) => worker.id !== null);
  }

  /** Starts what is missing to the wanted number, and returns how many run. */
  start(): Promise<number> {
    const { signal } = this.#asked;
    return this.#inTurn(async () => {
      this.#running = true;
      await this.#adjust(this.#wanted, signal);
      return this.#workers.length;
    });
  }

  /** Stops all, handing unfinished tasks back, and returns how many ran. A start that is under way ends with it. */
  stop(): Promise<number> {
    this.#stopped.abort();
    const asked = this.#askAnew();
    return this.#inTurn(async () => {
      const count = this.#workers.length;
      this.#running = false;
      await this.#adjust(0, asked);
      return count;
    });
  }

  /** Stops all for good: what is asked for later starts nothing. Idempotent. */
  async end(): Promise<void> {
    const stopped = this.stop();
    this.#ended = true;
    this.#asked.abort();
    await stopped;
  }

  /** Makes it `count` workers. Returns how many there were, and how many there are after some seconds at most; the others follow. */
  async scale(count: number): Promise<{ previous: number; now: number }> {
    const asked = this.#askAnew();
    let previous = this.#workers.length;
    const scaled = this.#inTurn(async () => {
      previous = this.#workers.length;
      this.#wanted = count;
      this.#running = count > 0;
      await this.#adjust(count, asked);
    });
    await Promise.race([scaled, sleep(this.#scaleMs, undefined, { ref: false })]);
    return { previous, now: this.#workers.length };
  }

  #askAnew(): AbortSignal {
    this.#asked.abort();
    this.#asked = new AbortController();
    if (this.#ended) this.#asked.abort();
    return this.#asked.signal;
  }

  /** Starts or stops workers until there are `count`. Once `asked` aborts, it starts no more, and waits for none that it has started. */
  async #adjust(count: number, asked: AbortSignal): Promise<void> {
    const options = this.#options;
    // Whatever has been asked for since comes next. To end all is never too late.
    if (asked.aborted && count > 0) return;
    const leaving = this.#workers.splice(count);
    const aborted = new Promise<void>((resolve) => {
      asked.addEventListener('abort', () => {
        resolve();
      }, { once: true });
    });
    while (this.#workers.length < count && !asked.aborted) {
      if (options === null) throw new Error('internal workers were started before the server listened');
      const workerId = this.#earlierIds.shift();
      const worker = startWorker({
        apiUrl: options.apiUrl,
        ...(workerId === undefined ? {} : { preferredWorkerId: workerId }),
        backendType: 'kind',
        concurrency: 1,
        problems: ['test-*'],
        metadata: { internal_owner: options.owner },
        pulses: this.#pulses,
        log: options.log.child({ part: 'internal-worker' }),
      });
      this.#workers.push(worker);
      void worker.stopped.then(() => {
        this.#workers = this.#workers.filter((one) => one !== worker);
      });
      // One after another, so that ids come in order.
      await Promise.race([worker.registered, aborted]);
    }
    await Promise.all(leaving.map((worker) => worker.release()));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** The ids of the owner's workers whose lease has not run out; those that hold tasks first, since not all may be wanted again. */
async function liveIdsOf(owner: string, apiUrl: string, stop: AbortSignal): Promise<string[]> {
  const client = new ApiClient(apiUrl);
  // One that is busy may be idle a moment later; its id is still to be given once.
  const ids = new Set<string>();
  try {
    for (const status of ['busy', 'idle'] as const) {
      let cursor: string | null = null;
      do {
        const page: components['schemas']['WorkerList'] = await untilAnswered(() => client.listWorkers(status, cursor), stop);
        for (const { id, metadata } of page.workers) if (metadata.internal_owner === owner) ids.add(id);
        cursor = page.next_cursor;
      } while (cursor !== null);
    }
    return [...ids];
  } finally {
    await client.close();
  }
}

/** Repeats a call while this API cannot answer: it serves others as soon as it can again, so it must not end over this. */
async function untilAnswered<T>(call: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if ((error instanceof ApiError && !error.retryable) || tries === LIST_TRIES) throw error;
      await sleep(backoffMs(LIST_RETRY, tries, Math.random()), undefined, { signal: stop });
    }
  }
}
