/**
 * The program that runs a module's handler, in a process of its own, for module.ts: it speaks the same protocol as any other
 * program of a task. It imports nothing of the worker, so that a mistake of a module stays within this process.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Handler, HandlerError, ModuleContext, ModuleTask } from './module-types.js';

const EXIT_FAILED = 1;
/** These two are those of exit-codes.ts. */
const EXIT_PERMANENT = 65;
const EXIT_UNFIT = 69;

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

async function load(path: string): Promise<Handler> {
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown; handler?: unknown };
  // A CommonJS module's exports are the default of the import.
  const inner = (module.default as { default?: unknown } | undefined)?.default;
  const handler = [module.handler, inner, module.default].find((one) => typeof one === 'function');
  if (handler === undefined) throw new Error('it exports no handler: a function as its default');
  return handler as Handler;
}

function contextOf(task: ModuleTask, say: (event: Record<string, unknown>) => void, signal: AbortSignal): ModuleContext {
  return {
    log: (level, message, context) => {
      say({ type: 'log', level, message, context });
    },
    progress: ({ metrics = {}, ...update }) => {
      if (Object.keys(update).length > 0) say({ type: 'progress', ...update });
      for (const [name, value] of Object.entries(metrics)) say({ type: 'metric', name, value });
    },
    signal,
    dependencies: task.dependencies ?? {},
    artifactsDir: fromEnvironment('TASK_ARTIFACTS_DIR'),
    scratchDir: fromEnvironment('TASK_SCRATCH_DIR'),
  };
}

async function main(path: string): Promise<number> {
  let handler: Handler;
  try {
    handler = await load(path);
  } catch (error) {
    console.error(`the module ${path} cannot be loaded: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    // The last line is what the worker quotes.
    console.error(`the module cannot be loaded: ${String(error)}`);
    return EXIT_UNFIT;
  }
  const stop = new AbortController();
  process.on('SIGTERM', () => {
    stop.abort(new Error('the task is to stop'));
  });
  const task = JSON.parse(readFileSync(fromEnvironment('TASK_FILE'), 'utf8')) as ModuleTask;
  const events = openSync(fromEnvironment('TASK_EVENTS_FILE'), 'a');
  const say = (event: Record<string, unknown>): void => {
    writeSync(events, `${JSON.stringify(event)}\n`);
  };
  const fail = (thrown: unknown): number => {
    const error: HandlerError = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { message, stack, retryable = true, retryAfterSeconds } = error;
    console.error(stack ?? message);
    const words = message === '' ? 'the handler threw an error without a message' : message;
    say({ type: 'failure', error: words, retryable, retry_after_seconds: retryAfterSeconds });
    return retryable ? EXIT_FAILED : EXIT_PERMANENT;
  };
  const onExit = (code: number): void => {
    say({ type: 'failure', error: `the handler ended its process with code ${code}` });
    // Without a result it would count as completed.
    if (code === 0) process.exitCode = EXIT_FAILED;
  };
  process.on('exit', onExit);
  const exit = (code: number): never => process.off('exit', onExit).exit(code);
  // Thrown where nobody waits for it, such as in a timer.
  process.on('uncaughtException', (error) => exit(fail(error)));
  process.on('beforeExit', () => exit(fail(new Error('the handler waits, and nothing is left that it could wait for'))));
  try {
    const result = await handler(task, contextOf(task, say, stop.signal));
    if (result !== undefined) writeFileSync(fromEnvironment('TASK_RESULT_FILE'), JSON.stringify(result));
    return 0;
  } catch (error) {
    return fail(error);
  } finally {
    process.off('exit', onExit);
    closeSync(events);
  }
}

// At once, whatever timers and connections the module has left behind.
process.exit(await main(process.argv[2] ?? ''));
