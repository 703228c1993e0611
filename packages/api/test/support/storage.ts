/** The two kinds of storage for artifacts, as tests see them: what is kept, what is left over, and how it breaks. */
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeS3 } from './s3.js';

export interface TestStorage {
  readonly environment: Record<string, string>;
  /** How many files are kept. */
  kept(): Promise<number>;
  /** How many uploads are unfinished, or have left something. */
  leftovers(): Promise<number>;
  /** It answers, but fails. */
  break(): Promise<void>;
  /** It is not there at all. */
  vanish(): Promise<void>;
  /** After either of these. */
  mend(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFolder(): Promise<TestStorage & { readonly folder: string }> {
  const parent = await mkdtemp(join(tmpdir(), 'task-executor-artifacts-'));
  const folder = join(parent, 'kept here');
  const files = async (under: string): Promise<number> => (await readdir(under, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  return {
    folder,
    environment: { ARTIFACTS_URL: `file:${folder}` },
    kept: async () => (await files(folder)) - (await files(join(folder, 'tmp'))),
    leftovers: () => files(join(folder, 'tmp')),
    break: async () => {
      await rename(folder, `${folder} away`);
      await writeFile(folder, 'not a folder');
    },
    vanish: () => rename(folder, `${folder} away`),
    mend: async () => {
      await rm(folder, { force: true });
      await rename(`${folder} away`, folder);
    },
    stop: async () => {
      await rm(parent, { recursive: true });
    },
  };
}

export async function startBucket(): Promise<TestStorage> {
  const s3 = await startFakeS3();
  return {
    environment: { ARTIFACTS_URL: 's3://results/team-a/', S3_ENDPOINT: s3.endpoint },
    kept: () => Promise.resolve([...s3.objects.keys()].filter((key) => key.startsWith('results/team-a/')).length),
    leftovers: () => Promise.resolve(s3.uploads.size),
    break: () => {
      s3.down = true;
      return Promise.resolve();
    },
    vanish: () => s3.close(),
    mend: async () => {
      if (s3.down) s3.down = false;
      else await s3.open();
    },
    stop: () => s3.stop(),
  };
}
