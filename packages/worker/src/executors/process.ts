/**
 * Runs one program to its end: an argument vector, never a shell. It has a process group of its own, and on a host that can
 * do it nothing of it outlives it or the worker; it is stopped by TERM and, after a grace, KILL. Its streams become lines.
 */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOUNDS } from './bounds.js';
import { containment } from './containment.js';
import { Unfit } from './executor.js';
import { drained, Output, OutputQuota, type OutputLimits, type TakeLine } from './output.js';
import { findProgram } from './program.js';
import { limitsPrefix, type ResourceLimits } from './rlimits.js';
import { scriptFault } from './script.js';
import { watchOver } from './watchdog.js';

/** How programs are run; the same for a task's own and for those around it. */
export interface ProcessPolicy {
  /** How long after TERM the group gets KILL, in milliseconds. */
  readonly graceMs: number;
  /** Whether it dies with the worker where the host can see to that; see containment.ts. */
  readonly contained: boolean;
  readonly limits: ResourceLimits;
  readonly output: OutputLimits;
}

export interface Program extends ProcessPolicy {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Run last where the worker dies without a word. */
  readonly afterDeath?: readonly string[];
}

/** Where and how a program would be run. */
export interface ProgramPlace {
  readonly cwd: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: ResourceLimits;
}

export interface ProcessEnd {
  /** The exit code; null where a signal ended it, or it was never started because it was to stop. */
  readonly code: number | null;
  /** How it failed, in words and with its last ones; null where it did not. */
  readonly failure: string | null;
}

const NOT_BEGUN: ProcessEnd = { code: null, failure: 'stopped before it began' };

/** Runs `program` until it ends by itself or `signal` aborts. @throws Unfit where it cannot be started */
export async function runProcess(program: Program, signal: AbortSignal, take: TakeLine): Promise<ProcessEnd> {
  const [name = '', ...args] = program.argv;
  if (!(await isFolder(program.cwd))) throw new Unfit(`the working folder ${program.cwd} is not there`);
  const path = await findProgram(name, program.env.PATH ?? '', program.cwd);
  if (path === null) throw notStarted(name, 'no such program can be run');
  const fault = await scriptFault(program.argv, program.cwd);
  if (fault !== null) throw new Unfit(fault);
  const tied = program.contained ? await containment(program.graceMs) : [];
  const [first = '', ...rest] = [...tied, ...(await limitsPrefix(program.limits)), path, ...args];
  if (signal.aborted) return NOT_BEGUN;

  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(first, rest, { cwd: program.cwd, env: program.env, detached: true });
  } catch (error) {
    // Out of memory, or with arguments that are too long.
    throw notStarted(name, String(error));
  }
  const ended = endOf(child);
  // Out of processes or descriptors, there are no streams either.
  if (child.pid === undefined) throw notStarted(name, await ended.then((end) => (end.kind === 'not_started' ? end.reason : 'no process')));
  const watchdog = tied.length === 0 ? watchOver(child.pid, program.afterDeath) : null;
  // A program that does not read its stdin closes it; that is its right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(program.stdin);
  const quota = new OutputQuota(program.output);
  const stderr = new Output(child.stderr, 'warning', quota, take);
  const outputs = [new Output(child.stdout, 'info', quota, take), stderr];

  const stopping = stopOnAbort(child, signal, program.graceMs, tied.length > 0);
  const end = await ended;
  await stopping.end();
  killGroup(child, 'SIGKILL');
  watchdog?.release();
  await drained(outputs);

  if (end.kind === 'not_started') throw notStarted(name, end.reason);
  const how = failureOf(end.code, end.signal, tied.length > 0);
  if (how === null) return { code: 0, failure: null };
  const words = stderr.lastLine.slice(0, BOUNDS.maxQuotedChars).toWellFormed();
  return { code: end.code, failure: words === '' ? how : `${how}: ${words}` };
}

/** Why the program `name` could not be run with `options`, or null. */
export async function programFault(name: string, { cwd, environment, limits }: ProgramPlace): Promise<string | null> {
  try {
    if (cwd !== null && !(await isFolder(cwd))) throw new Unfit(`the working folder ${cwd} is not there`);
    const path = await findProgram(name, environment.PATH ?? process.env.PATH ?? '', cwd ?? '/');
    if (path === null) throw notStarted(name, 'no such program can be run');
    await limitsPrefix(limits);
    return null;
  } catch (error) {
    if (error instanceof Unfit) return error.message;
    throw error;
  }
}

function notStarted(name: string, reason: string): Unfit {
  return new Unfit(`the command ${name} could not be started: ${reason}`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** How a program failed, in words, or null where it did not. */
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

/** Whether there was anybody to get it. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    // The group has ended.
    return false;
  }
}

/** How often it is looked for who is left of a group that was told to stop. */
const LOOK_MS = 50;
/** Between the TERM at the end of the grace, at which the first process of a namespace says how the command ended, and the KILL. */
const LAST_WORD_MS = 300;

/** TERM for the whole group when `signal` aborts, KILL after the grace. `end`, once its leader has ended, leaves the others the grace. */
function stopOnAbort(child: ChildProcess, signal: AbortSignal, graceMs: number, isContained: boolean): { end(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let isOver = true;
  const stop = (): void => {
    isOver = false;
    killGroup(child, 'SIGTERM');
    timer = setTimeout(() => {
      if (isContained) killGroup(child, 'SIGTERM');
      timer = setTimeout(() => {
        isOver = true;
        killGroup(child, 'SIGKILL');
      }, isContained ? LAST_WORD_MS : 0);
    }, graceMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    end: async () => {
      signal.removeEventListener('abort', stop);
      while (!isOver && killGroup(child, 0)) await sleep(LOOK_MS);
      clearTimeout(timer);
    },
  };
}
