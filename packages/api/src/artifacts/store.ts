/**
 * Where the bytes of artifacts are: a folder, or a bucket of S3 or of a server that speaks its protocol. A store knows keys
 * and bytes and nothing of tasks.
 */
import type { Readable } from 'node:stream';

/** How long an upload may take at the most, in milliseconds; what is left of an older one is rubbish. */
export const UPLOAD_MS = 3_600_000;

export type ArtifactPlace =
  | { readonly kind: 'folder'; readonly folder: string }
  /** `endpoint` and `region` are null where the SDK finds them by itself. */
  | {
    readonly kind: 's3'; readonly bucket: string; readonly prefix: string;
    readonly endpoint: string | null; readonly region: string | null;
  };

/** Thrown where the storage does not do what it was asked; the same call may succeed later. */
export class StorageError extends Error {}

/** Bytes `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Its errors are StorageErrors for whoever opened it with open.ts. */
export interface ArtifactStore {
  /** Resolves when the bytes are safe. Where it rejects, also because `content` failed, nothing is left of them. */
  put(key: string, content: Readable): Promise<void>;
  /** The stream may fail later, too. */
  open(key: string, range: ByteRange): Promise<Readable>;
  remove(key: string): Promise<void>;
  stop(): Promise<void>;
}
