/**
 * The problem catalog: which problems this worker takes, and how it runs each. Put together by a program, or read from a file,
 * and then it can be read again while the worker runs. An attempt keeps the entry that it began with.
 */
import { matchesGlob } from '@task-executor/shared';
import type { CatalogEntry } from './catalog-entry.js';
import { readCatalogFile, type CatalogContent } from './catalog-file.js';
import { simulate } from './executors/simulated.js';

export type { CatalogEntry } from './catalog-entry.js';
export { CatalogError } from './catalog-file.js';

export class Catalog {
  #content: CatalogContent;
  readonly #path: string | null;

  private constructor(content: CatalogContent, path: string | null) {
    this.#content = content;
    this.#path = path;
  }

  /** A catalog of `entries` alone. */
  static of(entries: readonly CatalogEntry[]): Catalog {
    return new Catalog({ entries, fitness: () => Promise.resolve(null) }, null);
  }

  /** The catalog in the file at `path`, YAML or JSON. @throws CatalogError */
  static read(path: string): Catalog {
    return new Catalog(readCatalogFile(path), path);
  }

  get entries(): readonly CatalogEntry[] {
    return this.#content.entries;
  }

  /** Globs of all problems in it. */
  get problems(): readonly string[] {
    return this.entries.flatMap((entry) => entry.problems);
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
    const { content, omitted } = await settled(this.#content);
    this.#content = content;
    return omitted;
  }

  /** Reads the file again, and settles it; where it has a mistake, everything stays as it was. @throws CatalogError */
  async reload(): Promise<readonly string[]> {
    if (this.#path === null) return [];
    const { content, omitted } = await settled(readCatalogFile(this.#path));
    this.#content = content;
    return omitted;
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

async function settled(content: CatalogContent): Promise<{ content: CatalogContent; omitted: string[] }> {
  const entries: CatalogEntry[] = [];
  const omitted: string[] = [];
  for (const entry of content.entries) {
    const fault = entry.optional === true ? ((await entry.fitness?.()) ?? null) : null;
    if (fault === null) entries.push(entry);
    else omitted.push(`${entry.problems.join(', ')}: ${fault}`);
  }
  return { content: { ...content, entries }, omitted };
}

/** The built-in catalog of a worker that is given none. */
export const BUILT_IN_CATALOG: Catalog = Catalog.of([{ problems: ['test-*'], executor: simulate }]);
