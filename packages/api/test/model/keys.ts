/** What came under a key and was accepted: requests, and items of batches. A repetition has to give the same, for ever. */
import type { Answer } from '../support/api.js';

export interface KeptRequest {
  readonly key: string;
  readonly path: string;
  readonly body: unknown;
  readonly answer: Answer;
}

export interface KeptItem {
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Of the task that the item was, or that stood for it. */
  readonly id: string;
}

export class Keys {
  readonly requests: KeptRequest[] = [];
  readonly items: KeptItem[] = [];
  #made = 0;

  /** A key that was never used. */
  make(): string {
    return `key-${++this.#made}`;
  }
}
