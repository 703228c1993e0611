/** The program under test: started with the address of the scripted API, ended with everything that it started. */
import { spawn, type ChildProcess } from 'node:child_process';

const MAX_OUTPUT_CHARS = 4_000;

/** The program is not there, or may not be run. */
export class NotStarted extends Error {
  constructor(program: string, cause: Error) {
    super(`The program ${program} cannot be started: ${cause.message}`, { cause });
  }
}

export class Program {
  readonly #words: readonly string[];
  readonly #environment: Record<string, string>;
  #child: ChildProcess | null = null;
  #output = '';

  constructor(words: readonly string[], environment: Record<string, string>) {
    this.#words = words;
    this.#environment = environment;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it runs. @throws NotStarted */
  async start(): Promise<void> {
    const [file = '', ...args] = this.#words;
    // A process group of its own, so that all of it can be ended.
    const child = spawn(file, args, { env: { ...process.env, ...this.#environment }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString('utf8')).slice(-MAX_OUTPUT_CHARS);
      });
    }
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve).once('error', (error) => {
        reject(new NotStarted(file, error));
      });
    });
    this.#child = child;
  }

  /** Sends a signal to the program alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with its exit code when it has ended, null for a signal. */
  async ended(stop: AbortSignal): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise<void>((resolve, reject) => {
        child.once('exit', () => {
          resolve();
        });
        stop.addEventListener('abort', () => {
          reject(new Error('it did not end'));
        }, { once: true });
      });
    }
    return child.exitCode;
  }

  /** Ends it and its descendants at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined) return;
    const ended = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended.
    }
    await ended;
  }
}

/** The words of a command line: separated by blanks, kept together by quotes. No shell ever reads it. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}
