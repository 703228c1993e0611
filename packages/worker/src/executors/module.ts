/**
 * Runs a task in a module: a JavaScript or TypeScript file whose default export is a handler. Each attempt is a process of its
 * own, so that the module can neither hold up the worker nor outlive its task; module-host.ts is the program in it.
 */
import { access, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { environmentOf } from './environment.js';
import { Unfit, type Executor } from './executor.js';
import { EXIT_CODES } from './exit-codes.js';
import { TEXT_SCHEMA, type ExecutorKind } from './kind.js';
import { runTaskProgram, type ProgramOptions } from './task-program.js';
import { variablesOf } from './workspace.js';

export interface ModuleOptions extends ProgramOptions {
  /** The module's file, an absolute path. */
  readonly path: string;
}

/** Beside this file, in the language that this file is in. */
const HOST = fileURLToPath(new URL(`./module-host${extname(import.meta.url)}`, import.meta.url));
const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);

/** An executor that runs the module's handler for each task. */
export function moduleExecutor(options: ModuleOptions): Executor {
  return async (context) => {
    const fault = await moduleFault(options.path);
    if (fault !== null) throw new Unfit(fault);
    const workspace = await context.workspace();
    const program = [process.execPath, ...(loaderFor(options.path) ?? []), HOST, options.path];
    return runTaskProgram(context, workspace, {
      ...options,
      argv: program,
      cwd: options.cwd ?? workspace.folder,
      env: environmentOf(options.inherit, { TMPDIR: workspace.temporaryFolder }, options.environment, variablesOf(context.task, workspace)),
      stdin: '',
    }, [EXIT_CODES.unfit]);
  };
}

export const moduleKind: ExecutorKind = {
  schema: TEXT_SCHEMA,
  isLimited: true,
  make: (given: string, policy, folder) => {
    const options: ModuleOptions = { ...policy, path: resolve(folder, given) };
    return { executor: moduleExecutor(options), fault: () => moduleFault(options.path) };
  },
};

/** Why the module cannot be run, or null. */
export async function moduleFault(path: string): Promise<string | null> {
  try {
    await access(path, constants.R_OK);
  } catch {
    return `the module ${path} is not there, or cannot be read`;
  }
  if (loaderFor(path) !== null) return null;
  return `the module ${path} is TypeScript, which this Node does not run by itself; install tsx beside it`;
}

/** What Node needs to run the file at `path` and our own; null where it cannot be run. */
function loaderFor(path: string): string[] | null {
  const typescript = [path, HOST].filter((file) => TYPESCRIPT.has(extname(file)));
  if (typescript.length === 0 || 'typescript' in process.features && process.features.typescript !== false) return [];
  for (const file of typescript) {
    try {
      return ['--import', pathToFileURL(createRequire(file).resolve('tsx')).href];
    } catch {
      // Not installed there.
    }
  }
  return null;
}
