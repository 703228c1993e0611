/** Opening the store that the configuration names. Keys are made here, so that no name that somebody chose is ever a path. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { DiskStore } from './disk-store.js';
import type { ArtifactPlace, ArtifactStore } from './store.js';

/** A key that nothing is stored under. Its first part spreads keys over 4,096 folders. */
export function newKey(): string {
  const id = randomUUID();
  return `${id.slice(0, 3)}/${id}`;
}

/** Opens the store. @throws where its folder cannot be made */
export async function openStore(place: ArtifactPlace, log: Logger): Promise<ArtifactStore> {
  if (place.kind === 'folder') return DiskStore.open(place.folder, log);
  // The SDK takes its time to load, so it is loaded only where it is used.
  const { S3Store } = await import('./s3-store.js');
  return new S3Store(place);
}
