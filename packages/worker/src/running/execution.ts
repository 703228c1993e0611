/**
 * Executes one task with what its executor may use: its log, its progress, and a workspace that is there for this attempt alone.
 * Here it is decided whether a failure is the task's or the host's.
 */
import type { ApiError, components } from '@task-executor/shared';
import { storableContext } from '../calls/storable.js';
import type { CatalogEntry } from '../catalog/catalog-entry.js';
import { executionOf, type Execution, type ExecutionContext, type Task, type Workspace } from '../executors/executor.js';
import { removeFolder } from '../executors/removal.js';
import { diskFault, scratchOf } from '../executors/scratch.js';
import { openWorkspace, takeOutArtifacts } from '../executors/workspace.js';
import { withDependencies, type ReadTask } from './dependencies.js';
import { ProgressReporter } from './progress.js';

/** The way to the API for one attempt while it runs. */
export interface AttemptChannel {
  readonly log: ExecutionContext['log'];
  /** Told once how the task went, before anything is run or removed after it; resolves when that is kept. */
  readonly decide: ExecutionContext['decide'];
  /** @throws ApiError, ApiUnreachable */
  readonly putProgress: (progress: components['schemas']['Progress']) => Promise<unknown>;
  /** Told where the API refuses progress; none is sent any more. */
  readonly progressRefused: (error: ApiError) => void;
  readonly readTask: ReadTask;
}

/** How a task went, and what it has left. */
export interface Executed {
  readonly execution: Execution;
  /** The folder of its artifacts, to be removed by whoever stores them; null where there are none to be stored. */
  readonly artifacts: string | null;
}

export interface Signals {
  /** Aborts when the task is to stop. */
  readonly stop: AbortSignal;
  /** Whether the attempt is not this worker's any more: nothing more is said of it. */
  readonly isDisowned: () => boolean;
  /** The signal that aborts then. Made when it is asked for: signals are costly, and most attempts need none. */
  readonly disowned: () => AbortSignal;
}

/** Runs `task` as `entry` says; resolves when nothing of it runs, and nothing is left of it but its artifacts. Never rejects. */
export async function execute(
  entry: CatalogEntry | null, task: Task, channel: AttemptChannel, { stop, disowned, isDisowned }: Signals,
): Promise<Executed> {
  // Another worker may have one.
  if (entry === null) return { execution: { kind: 'unfit', reason: `it has no executor for ${task.problem_id}` }, artifacts: null };
  const log: ExecutionContext['log'] = (level, message, context) =>
    channel.log(level, message, context === undefined ? undefined : storableContext(context));
  const progress: { reporter?: ProgressReporter } = {};
  let opened: Promise<Workspace> | null = null;
  let isDecided = false;
  const decide = async (one: Execution): Promise<void> => {
    if (isDecided) return;
    isDecided = true;
    await channel.decide(one);
  };

  let execution = await executionOf(async () => {
    const whole = await withDependencies(task, channel.readTask, log, stop);
    if ('kind' in whole) return whole;
    return entry.executor({
      task: whole, signal: stop, log, decide,
      progress: (update) => {
        progress.reporter ??= new ProgressReporter(channel.putProgress, disowned(), channel.progressRefused);
        progress.reporter.report(update);
      },
      workspace: () => (opened ??= openWorkspace(whole, scratchOf(entry.scratch).root)),
    });
  });
  await decide(execution);
  const workspace = await orNull(opened);
  let artifacts: string | null = null;
  if (workspace !== null) {
    const scratch = scratchOf(entry.scratch);
    const isWanted = execution.kind === 'completed' || (execution.kind === 'failed' && !stop.aborted);
    if (isWanted && !isDisowned()) {
      artifacts = await takeOutArtifacts(workspace, scratch.root).catch(async (error: unknown) => {
        await log('error', `the artifacts were not kept: ${String(error)}`);
        return null;
      });
    }
    const left = await removeFolder(workspace.folder);
    if (left !== null) await log('warning', `the scratch folder could not be removed: ${left}`);
    // Full though the task's own files are gone, or were: it failed for what others have written.
    const full = execution.kind === 'failed' ? await diskFault(scratch, artifacts) : null;
    if (full !== null) execution = { kind: 'unfit', reason: full };
  }
  const told = progress.reporter?.close();
  // Nobody waits for news of an attempt that was stopped.
  if (!stop.aborted) await told;
  return { execution, artifacts };
}

/** The workspace, or null where none was asked for or made. */
async function orNull(opened: Promise<Workspace> | null): Promise<Workspace | null> {
  try {
    return await opened;
  } catch {
    return null;
  }
}
