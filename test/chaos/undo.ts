/**
 * What has to be undone at the end of a run, last made first. Everything that is started is noted here at once, so that the end,
 * a failure and Ctrl-C leave nothing behind; processes also die with us where we end without a word (`atExit`).
 */

export class Undo {
  readonly #steps: (() => unknown)[] = [];
  #begun = false;
  readonly #doomed = new Set<() => void>();

  constructor() {
    process.once('exit', () => {
      for (const end of this.#doomed) end();
    });
  }

  /** Where everything is undone already, it is undone at once: what begins while a run is broken off must not stay. */
  add(step: () => unknown): void {
    this.#steps.push(step);
    if (this.#begun) void this.run();
  }

  /** Calls `end`, which must not wait for anything, where this process ends before `forget` is called. */
  atExit(end: () => void): () => void {
    this.#doomed.add(end);
    return () => this.#doomed.delete(end);
  }

  /** Does it all, whatever fails of it. May be called again. */
  async run(): Promise<void> {
    this.#begun = true;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        console.error('while cleaning up:', error);
      }
    }
  }
}
