/**
 * Artifacts in a bucket of S3, or of a server that speaks its protocol. An object appears whole or not at all; large ones are
 * sent in parts, which are given up where an upload fails. Credentials are found by the SDK's own chain.
 */
import type { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { ArtifactPlace, ArtifactStore, ByteRange } from './store.js';

/** An upload holds two parts in memory; 10,000 parts, the most that it may have, are more than the largest file. */
const PART_BYTES = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_MS = 60_000;
const MAX_SOCKETS = 200;

export class S3Store implements ArtifactStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, endpoint, region }: Extract<ArtifactPlace, { kind: 's3' }>) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      ...(region === null ? {} : { region }),
      // Servers other than Amazon's have no host name for each bucket.
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      // Not all of them know the checksums that newer SDKs add; ours are checked by the callers.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENCE_MS,
        httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS }, httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      },
    });
  }

  async put(key: string, content: Readable): Promise<void> {
    const upload = new Upload({
      client: this.#client, params: { Bucket: this.#bucket, Key: this.#prefix + key, Body: content },
      partSize: PART_BYTES, queueSize: 1, leavePartsOnError: false,
    });
    await upload.done();
  }

  async open(key: string, { first, last }: ByteRange): Promise<Readable> {
    const { Body: body } = await this.#client.send(new GetObjectCommand({
      Bucket: this.#bucket, Key: this.#prefix + key, Range: `bytes=${first}-${last}`,
    }));
    return body as Readable;
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key }));
  }

  stop(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}
