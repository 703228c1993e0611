/** An entry of a catalog: which problems, and the executor with all that the file puts around it. */
import { resolve } from 'node:path';
import { cleanedUp, limited, prepared, timed } from '../executors/around.js';
import { BOUNDS } from '../executors/bounds.js';
import type { Executor } from '../executors/executor.js';
import { fromFolder } from '../executors/kind.js';
import { programFault } from '../executors/process.js';
import { EXECUTOR_KINDS, type KindName } from '../executors/registry.js';
import { Round } from '../executors/round.js';
import type { Scratch } from '../executors/scratch.js';
import { catalogScriptFault } from '../executors/script.js';
import { DEFAULT_POLICY, type ProgramOptions } from '../executors/task-program.js';
import type { SharedSlots } from '../executors/shared-slots.js';
import type { GivenEntry, GivenProgram } from './catalog-schema.js';

export interface CatalogEntry {
  /** Globs of problem ids. */
  readonly problems: readonly string[];
  readonly executor: Executor;
  /** Where its workspaces are made; the usual where absent. */
  readonly scratch?: Partial<Scratch>;
  /** Whether the worker does without it where this host cannot run it. */
  readonly optional?: boolean;
  /** Why this host cannot run such a task, or null where it can. Absent: it always can. */
  readonly fault?: (round?: Round) => Promise<string | null>;
  /** Where in its file it is, FILE:LINE:COLUMN; absent: it comes from none. */
  readonly place?: string;
}

/** What is made of `entry`, whose executor is of `kind` and whose paths start from `folder`; `slots` gives those of what it runs. */
export function makeEntry(
  entry: GivenEntry, kind: KindName, folder: string, scratch: Partial<Scratch>, slots: () => SharedSlots,
): CatalogEntry {
  const options = programOptions(entry, folder);
  const made = EXECUTOR_KINDS[kind].make(entry[kind], options, folder);
  // What comes around a task has no part in its limits: it tidies up after one that used them up.
  const around = (argv: readonly string[]) => ({ argv: argv.map((word) => fromFolder(folder, word)), options: { ...options, limits: {} } });
  const { prepare, cleanup } = entry;

  let { executor } = made;
  if (prepare !== undefined) executor = prepared(executor, around(prepare));
  if (entry.timeout_seconds !== undefined) executor = timed(executor, entry.timeout_seconds);
  if (cleanup !== undefined) executor = cleanedUp(executor, around(cleanup), entry.cleanup_seconds ?? BOUNDS.cleanupSeconds);
  // One without a bound counts, too: the catalog may be read again, and then have one.
  executor = limited(executor, entry.concurrency ?? Infinity, slots);
  const programs = [prepare, cleanup].filter((argv) => argv !== undefined);
  return {
    problems: [entry.match].flat(),
    executor,
    scratch,
    optional: entry.optional ?? false,
    fault: async (round = new Round()) => {
      for (const given of programs) {
        const { argv, options: place } = around(given);
        const fault = (await programFault(argv[0] ?? '', place)) ?? (await catalogScriptFault(given, folder));
        if (fault !== null) return fault;
      }
      return made.fault(round);
    },
  };
}

/** How programs are run, as `given` says, or the usual. */
export function programOptions(given: GivenProgram, folder: string): ProgramOptions {
  const { limits = {}, output = {} } = given;
  return {
    cwd: given.cwd === undefined ? null : resolve(folder, given.cwd),
    inherit: given.env ?? [],
    environment: given.environment ?? {},
    graceMs: given.grace_seconds === undefined ? DEFAULT_POLICY.graceMs : given.grace_seconds * 1000,
    contained: given.contained ?? DEFAULT_POLICY.contained,
    limits: {
      ...(limits.memory_mib !== undefined && { memoryMib: limits.memory_mib }),
      ...(limits.cpu_seconds !== undefined && { cpuSeconds: limits.cpu_seconds }),
      ...(limits.open_files !== undefined && { openFiles: limits.open_files }),
      ...(limits.processes !== undefined && { processes: limits.processes }),
      ...(limits.file_mib !== undefined && { fileMib: limits.file_mib }),
    },
    output: { lines: output.lines ?? DEFAULT_POLICY.output.lines, mib: output.mib ?? DEFAULT_POLICY.output.mib },
  };
}
