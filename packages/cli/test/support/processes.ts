/** The API and the command line as what they are: processes that speak HTTP. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '../../../api/test/support/database.js';

const API = fileURLToPath(new URL('../../../api/dist/main.js', import.meta.url));
const CLI = fileURLToPath(new URL('../../bin/task-executor.js', import.meta.url));

export interface Answer {
  readonly status: number;
  // The tests read whatever the operation answers.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface System {
  readonly url: string;
  /** A folder for files of the test. */
  readonly folder: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Runs the command line to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** Starts the command line. */
  start(args: readonly string[], options?: RunOptions): Cli;
  /** Ends the API as a crash would. */
  killApi(): Promise<void>;
  /** Starts it again, on the same port. */
  restartApi(): Promise<void>;
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly input?: string;
  /** A descriptor to write to; what is written there is not in Run. */
  readonly stdout?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The values in the lines of stdout. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly lines: any[];
  /** The one value in stdout. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

export interface Cli {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
  /** Resolves when `text` has come on stdout or stderr. */
  said(text: string): Promise<void>;
}

/** An API with a database of its own and two internal workers, unless `environment` says otherwise. */
export async function startSystem(environment: Record<string, string> = {}): Promise<System> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-cli-'));
  const settings = {
    DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), NUM_INTERNAL_WORKERS: '2', LOG_LEVEL: 'info', ...environment,
  };
  let api = await startApi({ ...settings, PORT: '0' });
  const { url } = api;
  const start = (args: readonly string[], options: RunOptions = {}): Cli =>
    startCli(args, { ...options, env: { TASK_EXECUTOR_URL: url, XDG_CONFIG_HOME: join(folder, 'config'), ...options.env } });
  return {
    url,
    folder,
    start,
    run: (args, options) => start(args, options).ended,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    killApi: () => endOf(api.child, 'SIGKILL'),
    restartApi: async () => {
      api = await startApi({ ...settings, PORT: new URL(url).port });
    },
    stop: async () => {
      await endOf(api.child, 'SIGTERM');
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startApi(environment: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [API, 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...environment },
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    // The lines after the one that is waited for are read on, so that the pipe does not fill.
    lines.on('line', (line) => {
      const entry = (line.startsWith('{') ? JSON.parse(line) : {}) as Record<string, unknown>;
      if (entry['event'] === 'listening') resolve(String(entry['url']));
    });
    lines.once('close', () => {
      reject(new Error(`the API ended: ${complaint}`));
    });
  });
  return { child, url };
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Runs the command line with nothing of this process's environment but PATH. */
export function startCli(args: readonly string[], { input, stdout: stdoutTo, env = {} }: RunOptions = {}): Cli {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['pipe', stdoutTo ?? 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...env },
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const heard = (): void => {
    for (const check of waiting) check();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input ?? '');
  const ended = once(child, 'close').then((): Run => ({
    code: child.exitCode,
    stdout,
    stderr,
    get lines() {
      return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
    },
    get json() {
      return JSON.parse(stdout) as unknown;
    },
  }));
  return {
    child,
    ended,
    said: (text) => new Promise((resolve, reject) => {
      const check = (): void => {
        if (!stdout.includes(text) && !stderr.includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      child.once('close', () => {
        reject(new Error(`it ended without saying "${text}": ${stdout} ${stderr}`));
      });
    }),
  };
}
