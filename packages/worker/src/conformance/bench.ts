/** One scenario's bench: a scripted API, the program under test, and the verdicts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLAIMS, REPORTS, reportsIn, type Call, type Operation, type ReportCall } from './call.js';
import type { GivenTask } from './model.js';
import { Program } from './program.js';
import { ScriptedApi } from './scripted-api.js';

/** The intervals that the scripted API asks for: short, and long enough for a slow machine. */
export const LEASE_SECONDS = 6;
export const INTERVAL_SECONDS = 1;
/** What the kit calls a task that runs until it is stopped. */
export const LONG_SECONDS = 600;

export interface BenchOptions {
  readonly words: readonly string[];
  /** How long the program may take for whatever it is to do. */
  readonly patienceMs: number;
}

export class Bench {
  readonly api: ScriptedApi;
  readonly program: Program;
  readonly verdicts = new Map<string, { kept: boolean | null; why: string }>();
  readonly #patienceMs: number;
  readonly #spoolDir: string;

  private constructor({ words, patienceMs }: BenchOptions, apiUrl: string, spoolDir: string, api: ScriptedApi) {
    this.api = api;
    this.#patienceMs = patienceMs;
    this.#spoolDir = spoolDir;
    this.program = new Program(words, { API_URL: apiUrl, SPOOL_DIR: spoolDir });
  }

  static async open(options: BenchOptions): Promise<Bench> {
    const api = new ScriptedApi();
    api.model.leaseSeconds = LEASE_SECONDS;
    api.model.intervalSeconds = INTERVAL_SECONDS;
    const url = await api.start();
    return new Bench(options, url, await mkdtemp(join(tmpdir(), 'task-executor-conformance-')), api);
  }

  async close(): Promise<void> {
    await this.program.kill();
    await this.api.stop();
    await rm(this.#spoolDir, { recursive: true, force: true });
  }

  /** Kept or broken; null: nothing was seen that the rule is about. The first verdict of broken stays. */
  judge(rule: string, kept: boolean | null, why: string): void {
    if (this.verdicts.get(rule)?.kept !== false) this.verdicts.set(rule, { kept, why });
  }

  /** Resolves when `condition` gives a value. @throws naming `what`, when the patience is over or the program has ended */
  async until<T>(what: string, condition: () => T | undefined | false | null): Promise<T> {
    const over = AbortSignal.timeout(this.#patienceMs);
    try {
      return await this.api.until(condition, over);
    } catch {
      throw new Error(`waited ${this.#patienceMs / 1000} s in vain for ${what}`);
    }
  }

  untilCalls(operation: Operation, count = 1): Promise<Call[]> {
    return this.until(`${count === 1 ? 'a call' : `${count} calls`} of ${operation}`, () => {
      const calls = this.api.of(operation);
      return calls.length >= count && calls;
    });
  }

  /** The claims, of one task or of many. */
  get claims(): Call[] {
    return this.api.of(...CLAIMS);
  }

  untilClaims(count = 1): Promise<Call[]> {
    return this.until(count === 1 ? 'a claim' : `${count} claims`, () => this.claims.length >= count && this.claims);
  }

  /** Gives a task, and resolves when the program has it. */
  async run(parameters: Record<string, unknown>): Promise<GivenTask> {
    const task = this.api.give({ parameters });
    await this.until('the claim of a task', () => this.api.model.running.some((held) => held.task.id === task.id));
    return task;
  }

  /** A task that runs until it is stopped, once a heartbeat has named it. */
  async runLong(): Promise<GivenTask> {
    const task = await this.run({ duration_seconds: LONG_SECONDS, max_steps: 10 });
    await this.until('a heartbeat that names the task', () => this.api.of('heartbeat').some((call) => names(call, task)));
    return task;
  }

  /** Resolves after `seconds`, in which the program is only watched. */
  watch(seconds: number): Promise<void> {
    return sleep(seconds * 1000);
  }

  /** Resolves with the exit code. @throws when the patience is over */
  ended(): Promise<number | null> {
    return this.program.ended(AbortSignal.timeout(this.#patienceMs));
  }

  /** What was said of the end of a task, each time that it was said, by itself or among others. */
  reports(task: GivenTask): ReportCall[] {
    return this.api.of(...REPORTS).flatMap(reportsIn).filter((report) => report.taskId === task.id);
  }
}

/** Whether a heartbeat names the task, in either form. */
export function names(call: Call, task: GivenTask): boolean {
  const attempts = (call.body.attempts ?? []) as { task_id?: unknown }[];
  return call.body.current_task_id === task.id || attempts.some(({ task_id }) => task_id === task.id);
}
