/**
 * What is special about the one request whose body is not JSON: it is not read before its handler, and it may take longer to
 * arrive than Node allows a request (server.requestTimeout); its own bounds in time are those of artifacts/intake.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS } from '@task-executor/shared';
import { Problem } from './problem.js';

const UPLOAD_PATH = /^\/api\/v1\/workers\/[^/]+\/tasks\/[^/]+\/artifacts\/?$/;
export const UPLOAD_TYPE = 'application/octet-stream';

const uploading = new WeakSet<Duplex>();

export function isUpload(method: string, path: string): boolean {
  return method === 'PUT' && UPLOAD_PATH.test(path);
}

/** Checks what can be seen before the body is read. @throws Problem */
export function checkUpload(req: IncomingMessage): void {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity', 'content-length': length } = req.headers;
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== UPLOAD_TYPE) {
    throw new Problem('unsupported_media_type', `An artifact is sent as ${UPLOAD_TYPE}; its own type goes into content_type.`);
  }
  if (encoding !== 'identity') throw new Problem('unsupported_media_type', 'Compressed bodies are not taken.');
  if (length === undefined) throw new Problem('length_required');
  if (Number(length) > LIMITS.maxArtifactBytes) throw new Problem('body_too_large', `At most ${LIMITS.maxArtifactBytes} bytes are taken.`);
  // In one form, since the validator keeps what it compiled for each raw value of this header.
  req.headers['content-type'] = UPLOAD_TYPE;
}

/** Lets the body of this request arrive for longer than others, until `done` is called. */
export function allowTime(req: IncomingMessage): { done(): void } {
  const { socket } = req;
  uploading.add(socket);
  return {
    done: () => {
      uploading.delete(socket);
    },
  };
}

/** Whether a request that arrives over this connection may take longer than others. */
export function mayTakeLonger(socket: Duplex): boolean {
  return uploading.has(socket);
}
