/** A program that runs a task: its process, its events, and how it went from its exit code, its last event and its result. */
import { BOUNDS } from './bounds.js';
import type { FailureEvent } from './event.js';
import { EventFile } from './events.js';
import type { Execution, ExecutionContext, Workspace } from './executor.js';
import { EXIT_CODES } from './exit-codes.js';
import { runProcess, type ProcessEnd, type ProcessPolicy, type Program } from './process.js';
import { readResult } from './result.js';

export interface ProgramOptions extends ProcessPolicy {
  /** The working folder; null is the workspace of the attempt. */
  readonly cwd: string | null;
  /** Names of variables handed on from the worker's environment. */
  readonly inherit: readonly string[];
  /** Variables set for the program. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The policy of a program about which a catalog says nothing. */
export const DEFAULT_POLICY: ProcessPolicy = {
  graceMs: BOUNDS.graceSeconds * 1000,
  contained: true,
  limits: {},
  output: { lines: BOUNDS.outputLines, mib: BOUNDS.outputMib },
};

/** Runs `program` for the task of `context`. `unfitCodes`: exit codes that tell of the host, not of the task. @throws Unfit */
export async function runTaskProgram(
  context: ExecutionContext, workspace: Workspace, program: Program, unfitCodes: readonly number[] = [],
): Promise<Execution> {
  const events = new EventFile(workspace.eventsFile, context);
  let end: ProcessEnd;
  let said: FailureEvent | null = null;
  try {
    end = await runProcess(program, context.signal, (level, message) => context.log(level, message));
  } finally {
    said = await events.close();
  }
  if (end.failure === null) return readResult(workspace.resultFile);
  if (end.code !== null && unfitCodes.includes(end.code)) return { kind: 'unfit', reason: end.failure };
  const retryable = end.code !== EXIT_CODES.permanent && (said?.retryable ?? true);
  return {
    kind: 'failed',
    error: said?.error ?? end.failure,
    ...(!retryable && { retryable }),
    ...(said?.retryAfterSeconds != null && { retryAfterSeconds: said.retryAfterSeconds }),
  };
}
