/** Reading a body that may break off. */
import type { Readable } from 'node:stream';
import { ApiUnreachable } from '@task-executor/shared';

/** What comes from `body`. @throws ApiUnreachable where it is broken off, so that this is told from what its reader does wrong */
export async function* unbroken(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw new ApiUnreachable('the stream was broken off', { cause: error });
  }
}
