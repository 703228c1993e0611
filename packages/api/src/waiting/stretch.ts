/**
 * Long work on the event loop, done in stretches: between two of them everybody else has a turn, heartbeats and reports above all.
 * Whoever works asks after each step whether the stretch is over, and then rests.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Steps between two looks at the clock, each of which costs about as much as a step. A step may take some 60 microseconds at the worst. */
const STEPS_PER_LOOK = 64;

export class Stretch {
  readonly #mostMs: number;
  #beganAt = performance.now();
  #earlierMs = 0;
  #steps = 0;
  #isOver = false;

  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** Notes that so many steps were done. */
  did(steps: number): void {
    this.#steps += steps;
    if (this.#steps < STEPS_PER_LOOK) return;
    this.#steps = 0;
    this.#isOver = performance.now() - this.#beganAt >= this.#mostMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Milliseconds of all stretches, without the rests. */
  get workedMs(): number {
    return this.#earlierMs + performance.now() - this.#beganAt;
  }

  /** Lets the others go on, and begins the next stretch. */
  async rest(): Promise<void> {
    this.#earlierMs = this.workedMs;
    await nextTurn();
    this.#beganAt = performance.now();
    this.#isOver = false;
  }
}
