/**
 * Answers that are given before the whole of the request has come. Many clients send all of a body before they read, and a connection
 * that is closed with bytes unread is reset by the system, which takes the answer from them. So the rest is read to nowhere; how long
 * it may take is bounded like any request (server.requestTimeout).
 */
import type { Request, Response } from 'express';

/** How much of the rest of a body is read before the connection is cut. */
const MOST_UNREAD_BYTES = 64 * 1024 * 1024;

/** Sends `text`, which is the whole answer, at once, and ends the answer when the rest of the body has come. */
export function endAfterBody(req: Request, res: Response, text: string): void {
  res.write(text);
  res.locals.answered = true;
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_UNREAD_BYTES) req.destroy();
  });
  req.once('end', () => res.end());
  req.resume();
}
