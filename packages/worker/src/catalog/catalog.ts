/**
 * The problem catalog: which problems this worker takes, and how it runs each. Put together by a program, or read from a file,
 * and then it can be read again while the worker runs. An attempt keeps the entry that it began with.
 */
import { matchesGlob } from '@task-executor/shared';
import { Round } from '../executors/round.js';
import { simulate } from '../executors/simulated.js';
import { SlotsOfCatalog } from '../executors/shared-slots.js';
import type { CatalogEntry } from './catalog-entry.js';
import { CatalogError, readCatalogFile, type CatalogContent } from './catalog-file.js';

export type { CatalogEntry } from './catalog-entry.js';
export { CatalogError } from './catalog-file.js';

/** The globs of a catalog, once it is known what of it this host can run. */
export interface CatalogProblems {
  /** Globs of all problems in it. */
  readonly problems: readonly string[];
  /** Globs of entries that this host does without. */
  readonly omittedProblems: readonly string[];
}

/** What of a catalog this host can run. */
interface Runnable extends CatalogProblems {
  readonly content: CatalogContent;
  /** Why this host does without an entry, for each of them. */
  readonly reasons: readonly string[];
}

export class Catalog implements CatalogProblems {
  #content: CatalogContent;
  /** The path of the file that it was read from; null where there is none. */
  readonly #path: string | null;
  readonly #slots: SlotsOfCatalog;
  #omitted: readonly string[] = [];

  private constructor(content: CatalogContent, path: string | null, slots: SlotsOfCatalog) {
    this.#content = content;
    this.#path = path;
    this.#slots = slots;
  }

  /** A catalog of `entries` alone. */
  static of(entries: readonly CatalogEntry[]): Catalog {
    return new Catalog({ entries, fault: () => Promise.resolve(null), warnings: () => Promise.resolve([]) }, null, new SlotsOfCatalog());
  }

  /** The catalog in the file at `path`, YAML or JSON. @throws CatalogError */
  static read(path: string): Catalog {
    const slots = new SlotsOfCatalog();
    return new Catalog(readCatalogFile(path, slots), path, slots);
  }

  get entries(): readonly CatalogEntry[] {
    return this.#content.entries;
  }

  /** Globs of all problems in it. */
  get problems(): readonly string[] {
    return problemsOf(this.entries);
  }

  /** Globs of entries that this host does without, known after `omitUnrunnable`. */
  get omittedProblems(): readonly string[] {
    return this.#omitted;
  }

  /** The entry for a problem, or null; the first that matches wins. */
  find(problemId: string): CatalogEntry | null {
    return this.entries.find((entry) => entry.problems.some((glob) => matchesGlob(glob, problemId))) ?? null;
  }

  /**
   * Leaves out the optional entries that this host cannot run; resolves with why, for each. What the worker is to claim is known
   * only then.
   */
  async omitUnrunnable(): Promise<readonly string[]> {
    return this.#take(await runnableOf(this.#content));
  }

  /**
   * Reads the file again, and leaves out what this host cannot run, as before. Where it has a mistake, or `accept` throws when it is told
   * what would be taken, everything stays as it was. @throws CatalogError, and what `accept` throws
   */
  async reload(accept: (next: CatalogProblems) => void = () => undefined): Promise<readonly string[]> {
    if (this.#path === null) return [];
    const next = await runnableOf(readCatalogFile(this.#path, this.#slots));
    if (next.problems.length === 0) throw new CatalogError('this host can run nothing of the catalog');
    accept(next);
    return this.#take(next);
  }

  #take({ content, omittedProblems, reasons }: Runnable): readonly string[] {
    this.#content = content;
    this.#omitted = omittedProblems;
    return reasons;
  }

  /** What this host lacks for all tasks alike, each with its place in the file. Runs nothing. */
  warnings(): Promise<string[]> {
    return this.#content.warnings();
  }

  /** Why this host should claim nothing now, in words, or null where it is fit. Runs the catalog's checks anew; never rejects. */
  async fault(): Promise<string | null> {
    const { entries, fault: hostFault } = this.#content;
    try {
      let fault = await hostFault();
      const round = new Round();
      for (const entry of entries) fault ??= (await entry.fault?.(round)) ?? null;
      return fault;
    } catch (error) {
      return `the host's fitness cannot be told: ${String(error)}`;
    }
  }
}

async function runnableOf(content: CatalogContent): Promise<Runnable> {
  const entries: CatalogEntry[] = [];
  const omitted: CatalogEntry[] = [];
  const reasons: string[] = [];
  const round = new Round();
  for (const entry of content.entries) {
    const fault = entry.optional === true ? ((await entry.fault?.(round)) ?? null) : null;
    if (fault === null) entries.push(entry);
    else {
      omitted.push(entry);
      reasons.push(`${entry.problems.join(', ')}: ${fault}`);
    }
  }
  const problems = problemsOf(entries);
  const omittedProblems = problemsOf(omitted).filter((glob) => !problems.includes(glob));
  return { content: { ...content, entries }, problems, omittedProblems, reasons };
}

function problemsOf(entries: readonly CatalogEntry[]): string[] {
  return entries.flatMap((entry) => entry.problems);
}

/** The built-in catalog of a worker that is given none. */
export const BUILT_IN_CATALOG: Catalog = Catalog.of([{ problems: ['test-*'], executor: simulate }]);
