/** Looks through a catalog without running anything of it: for `task-executor-worker check`. */
import { Round } from '../executors/round.js';
import { Catalog, CatalogError } from './catalog.js';
import { covers, tooMany } from './claimable.js';

export interface CatalogCheck {
  /** What is wrong with the file, each `FILE:LINE:COLUMN: what`. */
  readonly mistakes: readonly string[];
  /** What would keep this host from running its tasks, or an entry from being used, each `FILE:LINE:COLUMN: warning: what`. */
  readonly warnings: readonly string[];
  /** The globs of the problems in it, in their order; none where there are mistakes. */
  readonly problems: readonly string[];
}

/** Checks the catalog at `path`, and this host against it. */
export async function checkCatalog(path: string): Promise<CatalogCheck> {
  let catalog: Catalog;
  try {
    catalog = Catalog.read(path);
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    return { mistakes: error.message.split('\n'), warnings: [], problems: [] };
  }
  const warnings = await catalog.warnings();
  const excess = tooMany(catalog.problems);
  if (excess !== null) warnings.push(`${path}:1:1: warning: ${excess}; it starts only where --problems names fewer`);
  const round = new Round();
  for (const [index, { problems, fault: faultOf, place = path }] of catalog.entries.entries()) {
    const warn = (what: string): void => {
      warnings.push(`${place}: warning: ${what}`);
    };
    const fault = (await faultOf?.(round)) ?? null;
    if (fault !== null) warn(`${problems.join(', ')}: ${fault}`);
    for (const glob of problems) {
      const earlier = catalog.entries.slice(0, index).flatMap((entry) => entry.problems).find((one) => covers(one, glob));
      if (earlier !== undefined) warn(`${glob} is never reached: ${earlier} comes first`);
    }
  }
  return { mistakes: [], warnings, problems: catalog.problems };
}
