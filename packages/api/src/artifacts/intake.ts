/**
 * The body of an upload on its way into the store: counted, hashed, and bounded in time. It ends well only where every
 * byte has come and the digest is the one that was announced; a store that is given anything else keeps nothing.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { UPLOAD_MS } from './store.js';

/** How long the rest of a refused body is read and thrown away, so that its sender sees the answer. */
const DISCARD_MS = 10_000;

/** Why the body was not taken. */
export class IntakeError extends Error {
  readonly kind: 'gone' | 'late' | 'digest';

  constructor(kind: IntakeError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export class Intake extends Transform {
  readonly #source: IncomingMessage;
  readonly #digest: Buffer | null;
  readonly #hash = createHash('sha256');
  readonly #stall: NodeJS.Timeout;
  readonly #end: NodeJS.Timeout;
  #sha256: Buffer | null = null;

  /** `digest`: the SHA-256 that the body must have, or null. `stallMs`: how long the sender may send nothing. */
  constructor(source: IncomingMessage, { digest, stallMs }: { digest: Buffer | null; stallMs: number }) {
    super();
    this.#source = source;
    this.#digest = digest;
    const late = (): void => {
      this.destroy(new IntakeError('late', 'the body did not arrive in time'));
    };
    this.#stall = setTimeout(late, stallMs);
    this.#end = setTimeout(late, UPLOAD_MS);
    // Whoever reads this is told; while nobody does yet, an error must not end the process.
    this.on('error', () => undefined);
    source.on('close', this.#onClose);
    source.pipe(this);
    if (source.destroyed) this.#onClose();
  }

  /** The SHA-256 of the body, once all of it was read. */
  get sha256(): Buffer {
    if (this.#sha256 === null) throw new Error('the body was not read to its end');
    return this.#sha256;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#stall.refresh();
    done(null, chunk);
  }

  // Node counts the bytes against the Content-Length itself; a source that ends has sent as many.
  override _flush(done: TransformCallback): void {
    this.#sha256 = this.#hash.digest();
    const isRight = this.#digest === null || this.#digest.equals(this.#sha256);
    done(isRight ? null : new IntakeError('digest', 'the body is not what its digest says'));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#end);
    this.#source.off('close', this.#onClose);
    this.#source.unpipe(this);
    discard(this.#source);
    done(error);
  }

  readonly #onClose = (): void => {
    if (!this.#source.complete) this.destroy(new IntakeError('gone', 'the sender went away'));
  };
}

/** Reads the rest of a body to nowhere, and cuts the connection where that takes long. */
function discard(source: IncomingMessage): void {
  if (source.complete || source.destroyed) return;
  const cut = setTimeout(() => {
    source.destroy();
  }, DISCARD_MS);
  source.once('close', () => {
    clearTimeout(cut);
  });
  source.resume();
}
