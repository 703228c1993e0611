/** Appetites for which a claim found nothing, and no news has come since: another claim of the same would find nothing either. */
import { keyOf, type Appetite, type Lane } from './appetite.js';
import type { ClaimLine } from './claim-line.js';
import type { Stretch } from './stretch.js';

/** Each of them is compared with every new task. */
const MAX_DRY = 100;

export class DryAppetites {
  /** By the key of the appetite; `at`: when the claim found nothing. */
  readonly #found = new Map<string, { readonly appetite: Appetite; readonly at: number }>();

  add(appetite: Appetite): void {
    if (this.#found.size >= MAX_DRY) this.clear();
    this.#found.set(keyOf(appetite), { appetite, at: performance.now() });
  }

  /** Whether nothing was found for `appetite` less than `ms` ago. */
  has(appetite: Appetite, ms: number): boolean {
    const found = this.#found.get(keyOf(appetite));
    return found !== undefined && performance.now() - found.at < ms;
  }

  /** Forgets the appetites that take `lane`: there may be a task in it. `line` knows of many already whether they do. */
  async tell(lane: Lane, line: ClaimLine, stretch: Stretch): Promise<void> {
    for (const [key, { appetite }] of this.#found) {
      if (stretch.isOver) await stretch.rest();
      stretch.did(1 + appetite.globs.length);
      if (line.fits(key, appetite, lane)) this.#found.delete(key);
    }
  }

  clear(): void {
    this.#found.clear();
  }
}
