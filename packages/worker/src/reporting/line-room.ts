/** The room that a log has in memory for lines that are not sent yet, and the writers that wait for some. */
const MAX_LINES = 2_000;
/** Bytes of JSON, with what comes with the messages. */
const MAX_BYTES = 1024 * 1024;

interface Size {
  readonly lines: number;
  readonly bytes: number;
}

export class LineRoom {
  #lines = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  get isFull(): boolean {
    return this.#lines >= MAX_LINES || this.#bytes >= MAX_BYTES;
  }

  take({ lines, bytes }: Size): void {
    this.#lines += lines;
    this.#bytes += bytes;
  }

  giveBack({ lines, bytes }: Size): void {
    this.#lines -= lines;
    this.#bytes -= bytes;
    if (!this.isFull) this.letGo();
  }

  /** Resolves when it is not full any more, or at the next `letGo`. */
  async untilThereIsSome(): Promise<void> {
    if (!this.isFull) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Lets everybody who waits go on, for all that there may be no room. */
  letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
