/**
 * A process of ours that the nemesis may kill and pause. While it is wanted it is started again whenever it ends, as any supervisor
 * does. Its output goes to a file.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Undo } from '../undo.js';

export interface ProgramOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const RESTART_MS = 300;

export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | null = null;
  #wanted = false;
  #starts = 0;

  constructor(options: ProgramOptions, undo: Undo) {
    this.name = options.name;
    this.#options = options;
    const forget = undo.atExit(() => this.#child?.kill('SIGKILL'));
    undo.add(() => this.kill().then(forget));
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts it, and again whenever it ends. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#launch();
  }

  /** kill -9; it stays away until start(). */
  async kill(): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  #launch(): void {
    const { args, env, logFile } = this.#options;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#child = child;
    this.#starts += 1;
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
        void this.#relaunch();
    });
  }

  async #relaunch(): Promise<void> {
    await sleep(RESTART_MS);
    if (this.#wanted && this.#child === null) this.#launch();
  }
}
