/** Opening the store that the configuration names. Keys are made here, so that no name that somebody chose is ever a path. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { DiskStore } from './disk-store.js';
import { StorageError, type ArtifactPlace, type ArtifactStore } from './store.js';

/** A key that nothing is stored under. Its first part spreads keys over 4,096 folders. */
export function newKey(): string {
  const id = randomUUID();
  return `${id.slice(0, 3)}/${id}`;
}

/** Thrown where the folder of artifacts cannot be used; its message says what to do. */
export class StoreFolderError extends Error {}

/** Opens the store. @throws StoreFolderError where its folder cannot be made */
export async function openStore(place: ArtifactPlace, log: Logger): Promise<ArtifactStore> {
  if (place.kind === 'folder') {
    const store = await DiskStore.open(place.folder, log).catch((error: unknown) => {
      throw new StoreFolderError(`The folder of artifacts ${place.folder} cannot be used (${String(error)}): set ARTIFACTS_URL or DATA_DIR to one that can be written.`);
    });
    return withStorageErrors(store);
  }
  // The SDK takes its time to load, so it is loaded only where it is used.
  const { S3Store } = await import('./s3-store.js');
  return withStorageErrors(new S3Store(place));
}

function withStorageErrors(store: ArtifactStore): ArtifactStore {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw new StorageError(error instanceof Error ? `${error.name}: ${error.message}` : String(error), { cause: error });
    }
  };
  return {
    put: (key, content) => translated(store.put(key, content)),
    open: (key, range) => translated(store.open(key, range)),
    remove: (key) => translated(store.remove(key)),
    stop: () => store.stop(),
  };
}
