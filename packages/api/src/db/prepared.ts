/**
 * Which statements are prepared on the server. Planning a statement of ours costs more than running it, so a text that comes
 * again and again gets a name, under which each connection keeps its plan. Texts vary without end: only those that repeat are named,
 * and so many at most.
 */
import { sql, type RawBuilder } from 'kysely';

/** A piece of a statement whose best plan depends on its values (how many tasks a label, a status or an hour has). It is never named. */
export const PLANNED_FOR_VALUES: RawBuilder<unknown> = sql`/* planned for its values */`;
const MARK = '/* planned for its values */';

/** A text is named when it has been seen so often. */
const REPEATS = 5;
const MAX_NAMED = 100;
const MAX_SEEN = 1_000;

export class StatementNames {
  readonly #seen = new Map<string, number>();
  readonly #names = new Map<string, string>();

  /** The name of a statement, or undefined where it is to be planned each time. */
  of(text: string): string | undefined {
    if (text.includes(MARK)) return undefined;
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= MAX_NAMED) return name;
    const times = (this.#seen.get(text) ?? 0) + 1;
    if (times < REPEATS) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
      this.#seen.set(text, times);
      return undefined;
    }
    this.#seen.delete(text);
    const given = `task_executor_${this.#names.size + 1}`;
    this.#names.set(text, given);
    return given;
  }
}
