/**
 * Runs a task as a command: an argument vector, never a shell. Parameters arrive as JSON on stdin and in a file; stdout
 * and stderr become log lines; the result is a JSON file that the command writes; its exit code decides. The command has
 * a process group and a scratch folder of its own, and neither outlives it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { LogLevel } from '@task-executor/shared';
import type { Execution, ExecutionContext, Executor } from './executor.js';
import { linesOf } from './lines.js';

export interface CommandOptions {
  /** The program and its arguments. */
  readonly argv: readonly string[];
  /** The working folder; null is the scratch folder of the attempt. */
  readonly cwd: string | null;
  /** Names of variables handed on from the worker's environment. */
  readonly inherit: readonly string[];
  /** Variables set for the command. */
  readonly environment: Readonly<Record<string, string>>;
  /** How long after TERM the group gets KILL, in milliseconds. */
  readonly graceMs: number;
}

const ALWAYS_INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'];
const MAX_RESULT_BYTES = 900 * 1024;
const MAX_LINE_CHARS = 16_384;
/** How long output may come after the command's end: a grandchild may hold the pipe for ever. */
const OUTPUT_GRACE_MS = 1_000;

/** An executor that runs `options` for each task. */
export function commandExecutor(options: CommandOptions): Executor {
  return async (context) => {
    const scratch = await mkdtemp(join(tmpdir(), 'task-executor-'));
    try {
      return await runIn(scratch, options, context);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };
}

async function runIn(scratch: string, options: CommandOptions, context: ExecutionContext): Promise<Execution> {
  const { task, signal } = context;
  const parameters = JSON.stringify(task.parameters);
  const parametersFile = join(scratch, 'parameters.json');
  const resultFile = join(scratch, 'result.json');
  await writeFile(parametersFile, parameters);
  if (signal.aborted) return { kind: 'failed', error: 'stopped before it began' };

  const [program = '', ...args] = options.argv;
  const child = spawn(program, args, {
    cwd: options.cwd ?? scratch,
    env: environmentOf(options, {
      TASK_ID: task.id,
      TASK_ATTEMPT: String(task.attempt),
      TASK_PROBLEM_ID: task.problem_id,
      TASK_PARAMETERS_FILE: parametersFile,
      TASK_RESULT_FILE: resultFile,
    }),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = endOf(child);
  // A command that does not read its stdin closes it; that is its right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(parameters);
  const output = Promise.all([ship(child.stdout, 'info', context), ship(child.stderr, 'warning', context)]);

  const stopping = stopOnAbort(child, signal, options.graceMs);
  const end = await ended;
  stopping.end();
  killGroup(child, 'SIGKILL');
  await Promise.race([output, patience(OUTPUT_GRACE_MS)]);
  child.stdout.destroy();
  child.stderr.destroy();
  await output;

  if (end.kind === 'not_started') return { kind: 'failed', error: `the command ${program} could not be started: ${end.reason}` };
  if (end.code !== 0) {
    return { kind: 'failed', error: end.signal === null ? `the command exited with code ${end.code}` : `the command was ended by ${end.signal}` };
  }
  return readResult(resultFile);
}

type End =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'not_started'; readonly reason: string };

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ kind: 'not_started', reason: error.message });
    });
    child.on('exit', (code, signal) => {
      resolve({ kind: 'exited', code, signal });
    });
  });
}

function environmentOf(options: CommandOptions, own: Record<string, string>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of [...ALWAYS_INHERITED, ...options.inherit]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...options.environment, ...own };
}

/** Log lines of one stream; the pipe is read only as fast as they are taken. */
async function ship(stream: Readable, level: LogLevel, context: ExecutionContext): Promise<void> {
  try {
    for await (const line of linesOf(stream, MAX_LINE_CHARS)) await context.log(level, line);
  } catch {
    // The stream was destroyed after the command's end.
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended.
  }
}

/** TERM for the whole group when `signal` aborts, KILL after the grace. */
function stopOnAbort(child: ChildProcess, signal: AbortSignal, graceMs: number): { end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    killGroup(child, 'SIGTERM');
    timer = setTimeout(() => {
      killGroup(child, 'SIGKILL');
    }, graceMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

function patience(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** The command's result, or a result that says there was none. */
async function readResult(path: string): Promise<Execution> {
  let text: string;
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > MAX_RESULT_BYTES) return { kind: 'failed', error: `the result has ${size} bytes; at most ${MAX_RESULT_BYTES} are taken` };
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'completed', result: { success: true } };
    return { kind: 'failed', error: `the result cannot be read: ${String(error)}` };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { kind: 'completed', result: value as Record<string, unknown> };
    return { kind: 'failed', error: 'the result is not a JSON object' };
  } catch (error) {
    return { kind: 'failed', error: `the result is not JSON: ${String(error)}` };
  }
}
