/**
 * Runs a task as a command: an argument vector, never a shell. Parameters arrive as JSON on stdin and in a file; stdout
 * and stderr become log lines; the result is a JSON file that the command writes; its exit code decides. The command has
 * a process group and a scratch folder of its own, and neither outlives it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants as fsConstants } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { containment } from './containment.js';
import type { Execution, ExecutionContext, Executor } from './executor.js';
import { Output, settle } from './output.js';
import { findProgram } from './program.js';

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
  /** Whether it dies with the worker where the host can see to that; see containment.ts. False where absent. */
  readonly contained?: boolean;
}

const ALWAYS_INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'];
const MAX_RESULT_BYTES = 900 * 1024;
const MAX_LINE_CHARS = 16_384;
const MAX_QUOTED_CHARS = 500;

/** An executor that runs `options` for each task. */
export function commandExecutor(options: CommandOptions): Executor {
  return async (context) => {
    const scratch = await mkdtemp(join(tmpdir(), 'task-executor-'));
    try {
      return await runIn(scratch, options, context);
    } finally {
      // What the command locked away stays behind; its result must not be lost over that.
      await rm(scratch, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) =>
        context.log('warning', `the scratch folder could not be removed: ${String(error)}`));
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
  const cwd = options.cwd ?? scratch;
  const env = environmentOf(options, {
    TASK_ID: task.id,
    TASK_ATTEMPT: String(task.attempt),
    TASK_PROBLEM_ID: task.problem_id,
    TASK_PARAMETERS_FILE: parametersFile,
    TASK_RESULT_FILE: resultFile,
  });
  const path = await findProgram(program, env.PATH ?? '', cwd);
  if (path === null) return notStarted(program, 'no such program can be run');
  const prefix = options.contained === true ? await containment() : [];
  const [first = '', ...rest] = [...prefix, path, ...args];
  if (signal.aborted) return { kind: 'failed', error: 'stopped before it began' };

  const child = spawn(first, rest, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = endOf(child);
  // Out of processes or descriptors, there are no streams either.
  if (child.pid === undefined) return notStarted(program, await ended.then((end) => (end.kind === 'not_started' ? end.reason : 'no process')));
  // A command that does not read its stdin closes it; that is its right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(parameters);
  const stderr = new Output(child.stderr, 'warning', MAX_LINE_CHARS, context.log);
  const outputs = [new Output(child.stdout, 'info', MAX_LINE_CHARS, context.log), stderr];

  const stopping = stopOnAbort(child, signal, options.graceMs);
  const end = await ended;
  stopping.end();
  killGroup(child, 'SIGKILL');
  await settle(outputs);

  if (end.kind === 'not_started') return notStarted(program, end.reason);
  const how = failureOf(end.code, end.signal, prefix.length > 0);
  if (how !== null) return { kind: 'failed', error: stderr.lastLine === '' ? how : `${how}: ${stderr.lastLine.slice(0, MAX_QUOTED_CHARS).toWellFormed()}` };
  return readResult(resultFile);
}

function notStarted(program: string, reason: string): Execution {
  return { kind: 'failed', error: `the command ${program} could not be started: ${reason}` };
}

/** How a command failed, in words, or null where it did not. */
function failureOf(code: number | null, signal: NodeJS.Signals | null, contained: boolean): string | null {
  if (signal !== null) return `the command was ended by ${signal}`;
  if (code === 0 || code === null) return null;
  // The shell between us and a contained command gives a signal as 128 more than its number.
  const name = contained ? Object.entries(osConstants.signals).find(([, number]) => code === 128 + number)?.[0] : undefined;
  return name === undefined ? `the command exited with code ${code}` : `the command was ended by ${name} (code ${code})`;
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

/** The command's result, or a result that says there was none. */
async function readResult(path: string): Promise<Execution> {
  let text: string;
  try {
    // Not blocking: a command may have left a pipe there, which nobody will ever write to.
    const file = await open(path, fsConstants.O_RDONLY | fsConstants.O_NONBLOCK);
    try {
      const found = await file.stat();
      const { size } = found;
      if (!found.isFile()) return { kind: 'failed', error: 'the result is not a file' };
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
