/**
 * Reading JSON bodies: bounded in bytes, depth and width, and only what PostgreSQL can store unchanged. Uploads, the only bodies that are
 * not JSON, pass by unread. Runs before the contract's validator, and brings the Content-Type to one of two forms, because the validator
 * keeps a compiled schema for each raw value of that header that it ever sees (express-openapi-validator 5.6).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '@task-executor/shared';
import type { RequestHandler } from 'express';
import type { HeldBytes } from './held-bytes.js';
import { Problem } from './problem.js';
import { checkUpload, isUpload } from './uploads.js';

const BODYLESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Paths whose bodies hold many tasks or reports. */
const BULK_PATHS = /^\/api\/v1\/(tasks\/batch|workflows|workers\/[^/]+\/report)$/;

interface BodyLimits {
  readonly bytes: number;
  readonly nodes: number;
}

const USUAL: BodyLimits = { bytes: LIMITS.maxBodyBytes, nodes: LIMITS.maxJsonNodes };
const BULK: BodyLimits = { bytes: LIMITS.maxBulkBodyBytes, nodes: LIMITS.maxBulkJsonNodes };

function tooLarge({ bytes }: BodyLimits): Problem {
  return new Problem('body_too_large', `At most ${bytes} bytes are taken.`);
}

function tooMuch(): Problem {
  return new Problem('too_many_requests', 'The server holds as much of other calls as it may.');
}

/** Reads the whole body; by events, which cost a fraction of what iterating over the stream does. @throws Problem */
function readBytes(req: IncomingMessage, res: ServerResponse, limits: BodyLimits, held: HeldBytes): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const hold = held.counter(res);
    // While a call hangs, or the rest of a refused body comes, these listeners would keep the body in memory.
    const letGo = (): void => {
      req.off('data', take).off('end', end).off('error', fail);
    };
    const end = (): void => {
      letGo();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    };
    const refuse = (problem: Problem): void => {
      letGo();
      hold(-size);
      reject(problem);
    };
    // The sender has gone, or what it sends is not HTTP any more: no mistake of the server.
    const fail = (): void => {
      reject(new Problem('malformed_request', 'The body broke off.'));
    };
    const take = (chunk: Buffer): void => {
      if (size + chunk.length > limits.bytes) {
        refuse(tooLarge(limits));
        return;
      }
      if (held.isFull(req.url ?? '')) {
        refuse(tooMuch());
        return;
      }
      size += chunk.length;
      hold(chunk.length);
      chunks.push(chunk);
    };
    req.on('data', take).on('end', end).on('error', fail);
  });
}

/** Why `text` cannot be stored as it is, or null. */
function textFault(text: string): string | null {
  if (text.includes('\u0000')) return 'a NUL character';
  return text.isWellFormed() ? null : 'a lone surrogate';
}

/**
 * Walks a parsed value without recursion and refuses what would not come back as it was sent: NUL and lone surrogates,
 * numbers that were rounded or overflowed, `__proto__` keys, and too much depth or width.
 */
export function checkStorable(root: unknown, maxNodes: number = USUAL.nodes): void {
  const refuse = (fault: string): never => {
    throw new Problem('unstorable_json', `The body holds ${fault}.`);
  };
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (++nodes > maxNodes) refuse(`more than ${maxNodes} values`);
    if (typeof value === 'string') {
      const fault = textFault(value);
      if (fault !== null) refuse(fault);
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) refuse('a number that is too large');
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) refuse('an integer beyond 2^53 (send it as a string)');
    } else if (typeof value === 'object' && value !== null) {
      if (depth > LIMITS.maxJsonDepth) refuse(`more than ${LIMITS.maxJsonDepth} levels`);
      for (const [key, child] of Object.entries(value)) {
        if (key === '__proto__') refuse('a key named __proto__');
        const fault = textFault(key);
        if (fault !== null) refuse(`${fault} in a key`);
        open.push({ value: child, depth: depth + 1 });
      }
    }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Parses and checks `bytes`. */
export function parseJson(bytes: Buffer, maxNodes: number = USUAL.nodes): unknown {
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(bytes));
  } catch (error) {
    throw new Problem('malformed_json', error instanceof SyntaxError ? error.message.slice(0, 300) : 'The body is not UTF-8.');
  }
  checkStorable(value, maxNodes);
  return value;
}

/** Whether a Content-Type is JSON in UTF-8. */
function isJson(contentType: string): boolean {
  return /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType);
}

/** Reads the body of a request into `req.body`. @throws Problem */
export const readBody = (held: HeldBytes): RequestHandler => async (req, res, next) => {
  if (BODYLESS.has(req.method)) {
    delete req.headers['content-type'];
    req.resume();
    if (req.path.startsWith('/api/') && held.isFull(req.path)) throw tooMuch();
    next();
    return;
  }
  if (isUpload(req.method, req.path)) {
    checkUpload(req);
    next();
    return;
  }
  const contentType = req.headers['content-type'];
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw new Problem('unsupported_media_type', 'Compressed bodies are not taken.');
  const limits = BULK_PATHS.test(req.path) ? BULK : USUAL;
  if (Number(req.headers['content-length'] ?? 0) > limits.bytes) throw tooLarge(limits);
  const bytes = await readBytes(req, res, limits, held);
  if (bytes.length === 0) {
    // Without a body there is nothing to have a type; the validator would refuse an optional body that is absent.
    delete req.headers['content-type'];
    delete req.headers['content-length'];
  } else {
    if (contentType === undefined || !isJson(contentType)) {
      throw new Problem('unsupported_media_type', 'Send JSON, with the header Content-Type: application/json.');
    }
    req.body = parseJson(bytes, limits.nodes);
    req.headers['content-type'] = 'application/json';
  }
  next();
};
