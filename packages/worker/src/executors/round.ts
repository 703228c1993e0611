/** One look at what a host can run: what several entries of a catalog ask alike is asked once. */
export class Round {
  readonly #answers = new Map<string, Promise<string | null>>();

  /** What `ask` finds wrong, or null; of all with the same `question` the first is asked. */
  once(question: readonly unknown[], ask: () => Promise<string | null>): Promise<string | null> {
    const key = JSON.stringify(question);
    const answer = this.#answers.get(key) ?? ask();
    this.#answers.set(key, answer);
    return answer;
  }
}
