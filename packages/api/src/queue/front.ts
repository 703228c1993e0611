/**
 * Where claims begin in the order of pending tasks. While a snapshot is held, the index keeps an entry for every task that ever was in
 * that order, and who begins at the very front walks them all. So while the queue has that many dead rows, a claim begins
 * where the last one found the first pending task; and now and then from the very front, for what came before that place
 * since: tasks of a higher priority, and those that were taken back.
 */
import { Ration } from '../db/ration.js';

/** Dead rows of the queue that are walked in a few milliseconds. */
export const MANY_DEAD_ROWS = 50_000;
const WHOLE_SHARE = 0.05;

/** What a claim saw. */
export interface Seen {
  /** The first pending rank from where it began; null: none. */
  readonly firstRank: number | null;
  /** Dead rows of the queue, as PostgreSQL has counted them. */
  readonly deadRows: number;
}

export class Front {
  #firstRank: number | null = null;
  readonly #whole = new Ration(WHOLE_SHARE);

  /** The rank to begin at; null: at the very front. */
  begin(): number | null {
    return this.#whole.isDue ? null : this.#firstRank;
  }

  /** A claim that began at `from` took `ms` milliseconds and saw `seen`. */
  saw({ firstRank, deadRows }: Seen, from: number | null, ms: number): void {
    if (deadRows < MANY_DEAD_ROWS) this.#firstRank = null;
    // A claim that began elsewhere saw an older front: its result is ignored.
    else if (firstRank !== null && (from === null || from === this.#firstRank)) this.#firstRank = firstRank;
    if (from === null) this.#whole.spent(ms);
  }

  /** Milliseconds until the next claim begins at the very front. */
  get wholeInMs(): number {
    return this.#whole.dueInMs;
  }
}
