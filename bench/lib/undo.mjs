/**
 * What has to be undone at the end of the run, however it ends: processes, databases, folders. Undone in reverse order, each
 * once; what fails is told and does not keep the rest from being undone.
 */
export class Undo {
  #steps = new Set();

  /** Registers `step`; the function returned undoes it now. */
  add(step) {
    const entry = { step };
    this.#steps.add(entry);
    return async () => {
      if (this.#steps.delete(entry)) await step();
    };
  }

  async all() {
    for (;;) {
      const entry = [...this.#steps].at(-1);
      if (entry === undefined) return;
      this.#steps.delete(entry);
      try {
        await entry.step();
      } catch (error) {
        console.error(`bench: cleaning up: ${error.message}`);
      }
    }
  }
}
