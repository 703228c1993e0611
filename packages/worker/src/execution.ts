/**
 * Executes one task with what its executor may use: its log, its progress, a workspace that is there for this attempt alone, and
 * the artifacts that are left in it. Here it is decided whether a failure is the task's or the host's.
 */
import type { components } from '@task-executor/shared';
import { storeArtifacts, type PutArtifact } from './artifacts.js';
import type { CatalogEntry } from './catalog-entry.js';
import { fullDisk, scratchOf } from './executors/scratch.js';
import { Unfit, type Execution, type ExecutionContext, type Task, type Workspace } from './executors/executor.js';
import { openWorkspace, removeWorkspace } from './executors/workspace.js';
import { ProgressReporter } from './progress.js';
import { storableContext } from './storable-json.js';

/** The way to the API for one attempt. */
export interface AttemptChannel {
  readonly log: ExecutionContext['log'];
  /** @throws ApiError, ApiUnreachable */
  readonly putProgress: (progress: components['schemas']['Progress']) => Promise<unknown>;
  readonly putArtifact: PutArtifact;
}

export interface Signals {
  /** Aborts when the task is to stop. */
  readonly stop: AbortSignal;
  /** Aborts when the attempt is not this worker's any more: nothing more is said of it. */
  readonly disowned: AbortSignal;
}

/** Runs `task` as `entry` says; resolves when nothing of it runs and nothing is left of it. Never rejects. */
export async function execute(entry: CatalogEntry | null, task: Task, channel: AttemptChannel, { stop, disowned }: Signals): Promise<Execution> {
  if (entry === null) return { kind: 'failed', error: `this worker has no executor for ${task.problem_id}` };
  const scratch = scratchOf(entry.scratch);
  const log: ExecutionContext['log'] = (level, message, context) =>
    channel.log(level, message, context === undefined ? undefined : storableContext(context));
  const progress = new ProgressReporter(channel.putProgress, disowned);
  let opened: Promise<Workspace> | null = null;

  let execution = await outcomeOf(() => entry.executor({
    task, signal: stop, log,
    progress: (update) => {
      progress.report(update);
    },
    workspace: () => (opened ??= openWorkspace(task, scratch.root)),
  }));
  const workspace = await settled(opened);
  if (workspace !== null) {
    const isWanted = execution.kind === 'completed' || (execution.kind === 'failed' && !stop.aborted);
    if (isWanted && !disowned.aborted) await storeArtifacts(workspace.artifactsFolder, channel.putArtifact, log, disowned);
    const left = await removeWorkspace(workspace);
    if (left !== null) await log('warning', `the scratch folder could not be removed: ${left}`);
    // Full though the task's own files are gone: it failed for what others have written.
    const full = execution.kind === 'failed' ? await fullDisk(scratch) : null;
    if (full !== null) execution = { kind: 'unfit', reason: full };
  }
  await progress.close();
  return execution;
}

async function outcomeOf(run: () => Promise<Execution>): Promise<Execution> {
  try {
    return await run();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return error instanceof Unfit ? { kind: 'unfit', reason: words } : { kind: 'failed', error: `the executor broke: ${words}` };
  }
}

async function settled(opened: Promise<Workspace> | null): Promise<Workspace | null> {
  try {
    return await opened;
  } catch {
    return null;
  }
}
