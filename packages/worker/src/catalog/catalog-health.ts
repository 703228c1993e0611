/** Whether this host is fit to run tasks at all: it has room for them, and the catalog's own command says so. */
import { BOUNDS } from '../executors/bounds.js';
import { environmentOf } from '../executors/environment.js';
import { Unfit } from '../executors/executor.js';
import { fromFolder } from '../executors/kind.js';
import { programFault, runProcess } from '../executors/process.js';
import { scratchFault, type Scratch } from '../executors/scratch.js';
import { catalogScriptFault } from '../executors/script.js';
import { programOptions } from './catalog-entry.js';
import type { GivenCatalog } from './catalog-schema.js';

/** A function that looks, and resolves with what is wrong, or null. */
export function healthCheck(health: GivenCatalog['health'] | null, folder: string, scratch: Scratch): () => Promise<string | null> {
  return async () => {
    const fault = await scratchFault(scratch);
    return fault ?? (health == null ? null : runHealthCommand(health, folder));
  };
}

/** Why the health command could not be run here, or null. Does not run it. */
export async function healthCommandFault(health: NonNullable<GivenCatalog['health']>, folder: string): Promise<string | null> {
  const program = fromFolder(folder, health.command[0] ?? '');
  const fault = (await programFault(program, programOptions(health, folder))) ?? (await catalogScriptFault(health.command, folder));
  return fault === null ? null : `health: ${fault}`;
}

async function runHealthCommand(health: NonNullable<GivenCatalog['health']>, folder: string): Promise<string | null> {
  const options = programOptions(health, folder);
  const seconds = health.timeout_seconds ?? BOUNDS.healthSeconds;
  const timeout = AbortSignal.timeout(Math.ceil(seconds * 1000));
  try {
    const { failure } = await runProcess({
      ...options,
      argv: health.command.map((word) => fromFolder(folder, word)),
      cwd: options.cwd ?? folder,
      env: environmentOf(options.inherit, options.environment),
      stdin: '',
    }, timeout, () => Promise.resolve());
    if (failure === null) return null;
    return timeout.aborted ? `the health command did not end within ${seconds} seconds` : `health: ${failure}`;
  } catch (error) {
    if (error instanceof Unfit) return `health: ${error.message}`;
    throw error;
  }
}
