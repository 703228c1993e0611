/**
 * The folder of one attempt, and the files through which a worker and a program of any language meet. The worker makes it
 * before the program starts and removes it afterwards, with whatever the program has left there.
 */
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Unfit, type Task, type Workspace } from './executor.js';
import { artifactsPath, scratchHome } from './scratch.js';

/** The places in a workspace at `folder`, as whoever is given them sees it. */
export function workspaceAt(folder: string): Workspace {
  return {
    folder,
    temporaryFolder: join(folder, 'tmp'),
    taskFile: join(folder, 'task.json'),
    parametersFile: join(folder, 'parameters.json'),
    dependenciesFile: join(folder, 'dependencies.json'),
    resultFile: join(folder, 'result.json'),
    eventsFile: join(folder, 'events.jsonl'),
    artifactsFolder: join(folder, 'artifacts'),
  };
}

/** The variables that tell a program of `workspace`. */
export function variablesOf(task: Task, workspace: Workspace): Record<string, string> {
  return {
    TASK_ID: task.id,
    TASK_ATTEMPT: String(task.attempt),
    TASK_PROBLEM_ID: task.problem_id,
    TASK_SCRATCH_DIR: workspace.folder,
    TASK_FILE: workspace.taskFile,
    TASK_PARAMETERS_FILE: workspace.parametersFile,
    TASK_DEPENDENCIES_FILE: workspace.dependenciesFile,
    TASK_RESULT_FILE: workspace.resultFile,
    TASK_EVENTS_FILE: workspace.eventsFile,
    TASK_ARTIFACTS_DIR: workspace.artifactsFolder,
  };
}

/** Makes a workspace for `task` in `root`. @throws Unfit */
export async function openWorkspace(task: Task, root: string): Promise<Workspace> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(await scratchHome(root), `${task.attempt}-`));
    const workspace = workspaceAt(folder);
    await Promise.all([mkdir(workspace.temporaryFolder), mkdir(workspace.artifactsFolder)]);
    await writeFile(workspace.taskFile, JSON.stringify(task));
    await writeFile(workspace.parametersFile, JSON.stringify(task.parameters));
    await writeFile(workspace.dependenciesFile, JSON.stringify(task.dependencies ?? {}));
    await writeFile(workspace.eventsFile, '');
    return workspace;
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw new Unfit(`a scratch folder cannot be made in ${root}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Moves the artifacts to a folder of their own in `root`, which outlives this process; null where there are none. Where the
 * program has put something else in the folder's place, that is what is moved.
 */
export async function takeOutArtifacts({ artifactsFolder }: Workspace, root: string): Promise<string | null> {
  const found = await lstat(artifactsFolder).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) {
    // Others look into `root`, too; and the program may have taken away its own right to move it.
    await chmod(artifactsFolder, constants.S_IRWXU);
    if ((await readdir(artifactsFolder)).length === 0) return null;
  }
  const folder = artifactsPath(root);
  await rename(artifactsFolder, folder);
  return folder;
}
