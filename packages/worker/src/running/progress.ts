/**
 * How far an attempt is, told to the API at most once a second: what is said in between is put together, and the newest wins.
 * Whoever says it never waits. What the API refuses is given up; progress is news, not data.
 */
import { bounded, LIMITS, type ApiError, type components } from '@task-executor/shared';
import { isRefusal } from '../calls/answer.js';
import { pause } from '../calls/retry.js';
import { mended, storableText } from '../calls/storable.js';
import type { ProgressUpdate } from '../executors/executor.js';

type Progress = components['schemas']['Progress'];

const INTERVAL_MS = 1_000;
const MAX_STEPS = 1e15;
const MAX_METRIC = 1e300;

const isCount = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= MAX_STEPS;

export class ProgressReporter {
  readonly #send: (progress: Progress) => Promise<unknown>;
  readonly #stop: AbortSignal;
  readonly #onRefusal: (error: ApiError) => void;
  /** Made with the first news: most attempts have none. */
  #closing: AbortController | null = null;
  #closed = false;
  #known: Omit<Progress, 'metrics'> = {};
  readonly #metrics = new Map<string, number>();
  #news = false;
  #refused = false;
  #running: Promise<void> | null = null;

  /** `stop` aborts when the attempt is not this worker's any more; `onRefusal` is told why nothing more is sent. */
  constructor(send: (progress: Progress) => Promise<unknown>, stop: AbortSignal, onRefusal: (error: ApiError) => void) {
    this.#send = send;
    this.#stop = stop;
    this.#onRefusal = onRefusal;
  }

  /** Notes `update`; what the contract would not take is left out. */
  report({ step, total, message, metrics = {} }: ProgressUpdate): void {
    if (this.#refused || this.#closed) return;
    this.#known = {
      ...this.#known,
      ...(isCount(step) && { step }),
      ...(isCount(total) && { total }),
      ...(message !== undefined && { message: storableText(message, LIMITS.maxProgressMessageChars) }),
    };
    for (const [name, value] of Object.entries(metrics)) this.#note(name, value);
    this.#news = Object.keys(this.#known).length > 0 || this.#metrics.size > 0;
    if (this.#news) this.#running ??= this.#run();
  }

  /** Sends what was said last, once more at most, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing?.abort();
    await this.#running;
    if (this.#news) await this.#sendNews();
  }

  #note(name: string, value: number): void {
    if (name === '' || name.length > LIMITS.maxProgressMetricNameChars || mended(name) !== name || !(Math.abs(value) <= MAX_METRIC)) return;
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return;
    if (this.#metrics.size < LIMITS.maxProgressMetrics || this.#metrics.has(name)) this.#metrics.set(name, value);
  }

  async #run(): Promise<void> {
    this.#closing ??= new AbortController();
    await bounded({ signals: [this.#closing.signal, this.#stop] }, async (wake) => {
      while (this.#news && !wake.aborted) {
        await this.#sendNews();
        await pause(INTERVAL_MS, wake);
      }
      // In the moment in which there is no news: what is said next runs it anew.
      this.#running = null;
    });
  }

  async #sendNews(): Promise<void> {
    if (this.#stop.aborted || this.#refused) return;
    this.#news = false;
    try {
      await this.#send({ ...this.#known, ...(this.#metrics.size > 0 && { metrics: Object.fromEntries(this.#metrics) }) });
    } catch (error) {
      if (!isRefusal(error)) {
        this.#news = true;
        return;
      }
      this.#refused = true;
      this.#onRefusal(error);
    }
  }
}
