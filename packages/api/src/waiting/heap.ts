/** A binary heap, the smallest place first, from which any item can be taken, since each knows its slot. */

export interface Placed {
  /** Must not change while the item is in a heap. */
  readonly place: number;
  /** Where the item is, kept by the heap; -1: in none. */
  slot: number;
}

export class Heap<T extends Placed> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  /** The first item that passes. Items behind one that passes are not asked. */
  firstThat(passes: (item: T) => boolean): T | undefined {
    let found: T | undefined;
    const look = (slot: number): void => {
      const item = this.#items[slot];
      if (item === undefined || (found !== undefined && found.place < item.place)) return;
      if (passes(item)) {
        found = item;
        return;
      }
      look(2 * slot + 1);
      look(2 * slot + 2);
    };
    look(0);
    return found;
  }

  /** Adds what is in no heap. */
  add(item: T): void {
    this.#rise(item, this.#items.length);
  }

  /** Takes out what is in this heap. */
  delete(item: T): void {
    const { slot } = item;
    const last = this.#items.pop();
    item.slot = -1;
    if (last === undefined || last === item) return;
    this.#rise(last, slot);
    this.#sink(last);
  }

  #put(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }

  /** Puts `item` at `slot` or above it: above all that come after it in the order. */
  #rise(item: T, slot: number): void {
    let at = slot;
    while (at > 0) {
      const above = this.#items[(at - 1) >> 1];
      if (above === undefined || above.place < item.place) break;
      this.#put(above, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #sink(item: T): void {
    for (;;) {
      const at = item.slot;
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const below = left !== undefined && right !== undefined && right.place < left.place ? right : left;
      if (below === undefined || item.place < below.place) return;
      this.#put(item, below.slot);
      this.#put(below, at);
    }
  }
}
