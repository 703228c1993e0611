/**
 * What a catalog puts around a task: a command before it, a command after it whatever became of it, a bound on its time and on
 * how many run at once. Each wraps an executor and is one.
 */
import { EXIT_CODES } from './exit-codes.js';
import { executionOf, Unfit, type Execution, type ExecutionContext, type Executor } from './executor.js';
import { environmentOf } from './environment.js';
import { runProcess } from './process.js';
import type { ProgramOptions } from './task-program.js';
import type { SharedSlots } from './shared-slots.js';
import { variablesOf } from './workspace.js';

export interface AroundCommand {
  readonly argv: readonly string[];
  readonly options: ProgramOptions;
}

const STOPPED: Execution = { kind: 'failed', error: 'stopped before it began' };

/** Runs `command` first; where it fails, that is how the task went. */
export function prepared(executor: Executor, command: AroundCommand): Executor {
  return async (context) => {
    const { code, failure } = await runAround('prepare', command, context, context.signal);
    if (failure === null) return executor(context);
    if (code === EXIT_CODES.unfit) return { kind: 'unfit', reason: `prepare: ${failure}` };
    return { kind: 'failed', error: `prepare: ${failure}`, ...(code === EXIT_CODES.permanent && { retryable: false }) };
  };
}

/** Runs `command` last, also after a failure and after a stop, for at most `seconds`; it does not change how the task went. */
export function cleanedUp(executor: Executor, command: AroundCommand, seconds: number): Executor {
  return async (context) => {
    const execution = await executionOf(() => executor(context));
    await context.decide(execution);
    const unfit = await cleanUp(command, context, seconds);
    return unfit === null || execution.kind === 'unfit' ? execution : { ...execution, unfit };
  };
}

/** Why the host is not fit for another task, or null. Never rejects. */
async function cleanUp(command: AroundCommand, context: ExecutionContext, seconds: number): Promise<string | null> {
  try {
    const { code, failure } = await runAround('cleanup', command, context, AbortSignal.timeout(Math.ceil(seconds * 1000)));
    if (failure === null) return null;
    await context.log('error', `cleanup: ${failure}`);
    return code === EXIT_CODES.unfit ? `cleanup: ${failure}` : null;
  } catch (error) {
    if (error instanceof Unfit) return `cleanup: ${error.message}`;
    await context.log('error', `cleanup: ${String(error)}`);
    return null;
  }
}

async function runAround(phase: string, { argv, options }: AroundCommand, context: ExecutionContext, signal: AbortSignal) {
  const workspace = await context.workspace();
  return runProcess({
    ...options,
    argv,
    cwd: options.cwd ?? workspace.folder,
    env: environmentOf(options.inherit, { TMPDIR: workspace.temporaryFolder }, options.environment, variablesOf(context.task, workspace)),
    stdin: JSON.stringify(context.task.parameters),
  }, signal, (level, message) => context.log(level, message, { phase }));
}

/** Stops the task after `seconds`, should its own timeout be longer. */
export function timed(executor: Executor, seconds: number): Executor {
  return async (context) => {
    const timeout = new AbortController();
    const timer = setTimeout(() => {
      timeout.abort();
    }, seconds * 1000);
    try {
      const execution = await executor({ ...context, signal: AbortSignal.any([context.signal, timeout.signal]) });
      if (execution.kind !== 'failed' || !timeout.signal.aborted || context.signal.aborted) return execution;
      return {
        kind: 'failed', error: `stopped after ${seconds} seconds, which is how long this worker's catalog lets it run`,
        ...(execution.unfit !== undefined && { unfit: execution.unfit }),
      };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Lets at most `count` of those that share slots run at once; others wait, in their order, and their time runs meanwhile. */
export function limited(executor: Executor, count: number, slotsNow: () => SharedSlots): Executor {
  return async (context) => {
    const slots = slotsNow();
    if (slots.isFull(count)) void context.log('info', 'waiting: as many of its kind run on this worker as its catalog lets');
    if (!(await slots.begin(count, context.signal))) return STOPPED;
    try {
      return await executor(context);
    } finally {
      slots.end();
    }
  };
}
