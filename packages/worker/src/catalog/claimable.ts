/** Which globs of problems a worker claims: of those that it is told to, what its catalog has an executor for. */
import { LIMITS, matchesGlob } from '@task-executor/shared';
import type { CatalogProblems } from './catalog.js';

export interface Claimable {
  readonly globs: readonly string[];
  /** The wanted globs for which the catalog has nothing, on no host. */
  readonly unmet: readonly string[];
}

/** What to claim of a catalog; `wanted` null is all of it. A wanted glob that is wider than an entry claims the entry's. */
export function claimable({ problems, omittedProblems }: CatalogProblems, wanted: readonly string[] | null): Claimable {
  if (wanted === null) return { globs: problems, unmet: [] };
  const globs = new Set<string>();
  const unmet: string[] = [];
  for (const glob of wanted) {
    if (omittedProblems.includes(glob)) continue;
    const found = problems.some((one) => covers(one, glob)) ? [glob] : problems.filter((one) => covers(glob, one));
    for (const one of found) globs.add(one);
    if (found.length === 0 && !omittedProblems.some((one) => covers(one, glob) || covers(glob, one))) unmet.push(glob);
  }
  return { globs: [...globs], unmet };
}

/** Says that `globs` are more than can be claimed, or null where they are not. */
export function tooMany(globs: readonly string[]): string | null {
  const { maxSupportedProblems: most } = LIMITS;
  return globs.length > most ? `a worker can claim ${most} globs of problems; these are ${globs.length}` : null;
}

/** Whether all that fits `glob` surely fits `wider`, too: read as text, a `*` is taken by a `*` alone. */
export function covers(wider: string, glob: string): boolean {
  return matchesGlob(wider, glob) && !(glob.includes('*') && wider.includes('?'));
}
