/**
 * The problem catalog: which problems this worker takes, and how it runs each. Put together by a program, or read from a file,
 * and then it can be read again while the worker runs. An attempt keeps the entry that it began with.
 */
import { matchesGlob } from '@task-executor/shared';
import type { CatalogEntry } from './catalog-entry.js';
import { CatalogError, readCatalogFile, type CatalogContent } from './catalog-file.js';
import { TurnsOfCatalog } from './executors/turns.js';
import { simulate } from './executors/simulated.js';

export type { CatalogEntry } from './catalog-entry.js';
export { CatalogError } from './catalog-file.js';

interface CatalogFile {
  readonly path: string;
  readonly turns: TurnsOfCatalog;
}

interface Settled {
  readonly content: CatalogContent;
  readonly omitted: readonly CatalogEntry[];
  /** Why, for each. */
  readonly reasons: readonly string[];
}

export class Catalog {
  #content: CatalogContent;
  readonly #file: CatalogFile | null;
  #omitted: readonly string[] = [];

  private constructor(content: CatalogContent, file: CatalogFile | null) {
    this.#content = content;
    this.#file = file;
  }

  /** A catalog of `entries` alone. */
  static of(entries: readonly CatalogEntry[]): Catalog {
    return new Catalog({ entries, fitness: () => Promise.resolve(null), lack: () => Promise.resolve([]) }, null);
  }

  /** The catalog in the file at `path`, YAML or JSON. @throws CatalogError */
  static read(path: string): Catalog {
    const turns = new TurnsOfCatalog();
    return new Catalog(readCatalogFile(path, turns), { path, turns });
  }

  get entries(): readonly CatalogEntry[] {
    return this.#content.entries;
  }

  /** Globs of all problems in it. */
  get problems(): readonly string[] {
    return this.entries.flatMap((entry) => entry.problems);
  }

  /** Globs of entries that this host does without, known after `settle`. */
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
  async settle(): Promise<readonly string[]> {
    return this.#take(await settled(this.#content));
  }

  /**
   * Reads the file again, and settles it; where it has a mistake, or nothing that this host can run, everything stays as it was.
   * @throws CatalogError
   */
  async reload(): Promise<readonly string[]> {
    if (this.#file === null) return [];
    const { path, turns } = this.#file;
    turns.forgetIdle();
    const found = await settled(readCatalogFile(path, turns));
    if (found.content.entries.length === 0) throw new CatalogError('this host can run nothing of the catalog');
    return this.#take(found);
  }

  #take({ content, omitted, reasons }: Settled): readonly string[] {
    this.#content = content;
    const kept = this.problems;
    this.#omitted = omitted.flatMap(({ problems }) => problems).filter((glob) => !kept.includes(glob));
    return reasons;
  }

  /** What this host lacks for all tasks alike, each with its place in the file. Runs nothing. */
  lack(): Promise<string[]> {
    return this.#content.lack();
  }

  /** Why this host should claim nothing now, in words, or null where it is fit. Runs the catalog's checks anew; never rejects. */
  async health(): Promise<string | null> {
    const { entries, fitness } = this.#content;
    try {
      for (const check of [fitness, ...entries.map((entry) => entry.fitness)]) {
        const fault = (await check?.()) ?? null;
        if (fault !== null) return fault;
      }
      return null;
    } catch (error) {
      return `the host's fitness cannot be told: ${String(error)}`;
    }
  }
}

async function settled(content: CatalogContent): Promise<Settled> {
  const entries: CatalogEntry[] = [];
  const omitted: CatalogEntry[] = [];
  const reasons: string[] = [];
  for (const entry of content.entries) {
    const fault = entry.optional === true ? ((await entry.fitness?.()) ?? null) : null;
    if (fault === null) entries.push(entry);
    else {
      omitted.push(entry);
      reasons.push(`${entry.problems.join(', ')}: ${fault}`);
    }
  }
  return { content: { ...content, entries }, omitted, reasons };
}

/** The built-in catalog of a worker that is given none. */
export const BUILT_IN_CATALOG: Catalog = Catalog.of([{ problems: ['test-*'], executor: simulate }]);
