/** Bodies that hold many tasks or reports: what belongs to one of them is no larger than a body about it alone may be. */
import { LIMITS } from '@task-executor/shared';
import type { Request } from 'express';
import { Problem } from './problem.js';

/** Refuses free JSON of one item, which is at `path` in the body of `req`, where it is too large. @throws Problem */
export function checkItem(req: Request, path: string, json: unknown): void {
  // Nothing in a small body is large, and nearly all are small. What came in chunks has no length.
  if (json === undefined || Number(req.headers['content-length'] ?? Infinity) <= LIMITS.maxBodyBytes) return;
  if (Buffer.byteLength(JSON.stringify(json)) > LIMITS.maxBodyBytes) {
    throw new Problem('body_too_large', `${path}: at most ${LIMITS.maxBodyBytes} bytes are taken.`);
  }
}
