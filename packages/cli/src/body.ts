/** Reading a stream of the API that may break off, and going on where it broke. */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiUnreachable, backoffMs } from '@task-executor/shared';
import type { Invocation } from './invocation.js';

/** How often in a row the stream may break without any progress in between. */
const MAX_BREAKS = 5;
const BACKOFF = { initialMs: 500, maxMs: 10_000 };

export interface Resumable {
  /** Opens the stream where reading goes on; null: everything has been read. */
  open(): Promise<Readable | null>;
  /** Reads what comes, and calls `advanced` whenever a later `open` would go on further behind. */
  read(body: AsyncIterable<Buffer>, advanced: () => void): Promise<void>;
  /** Called after a break: whether reading can go on. Without it, it can. */
  canGoOn?(): Promise<boolean>;
}

/** Reads to the end. @throws ApiUnreachable where the stream breaks too often or cannot go on, and what the steps throw of their own */
export async function readToEnd(invocation: Invocation, stream: Resumable): Promise<void> {
  for (let breaks = 0; ;) {
    const body = await stream.open();
    if (body === null) return;
    invocation.bePatient();
    try {
      await stream.read(unbroken(body), () => {
        breaks = 0;
      });
      return;
    } catch (error) {
      if (!(error instanceof ApiUnreachable) || invocation.interrupted.aborted) throw error;
      if (stream.canGoOn !== undefined && !(await stream.canGoOn())) throw error;
      breaks += 1;
      if (breaks > MAX_BREAKS) throw error;
      await sleep(backoffMs(BACKOFF, breaks, Math.random()), undefined, { signal: invocation.interrupted });
    }
  }
}

/** The chunks of `body`. @throws ApiUnreachable where it breaks off, which tells that from what its reader does wrong */
async function* unbroken(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw new ApiUnreachable('the stream was broken off', { cause: error });
  }
}
