/**
 * Downloads of files that a task left. A file gets its name when all of it is there and its hash is right. Until then it is a part in the
 * same folder, from which an interrupted download goes on.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, type components } from '@task-executor/shared';
import { readToEnd } from './body.js';
import { EXIT, Failure } from './exit.js';
import type { Invocation } from './invocation.js';

type Artifact = components['schemas']['Artifact'];

/** The errors with which a file system refuses one name, while it may take others. */
const NAME_CODES = new Set(['EEXIST', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ']);

/** Thrown where a folder has no place for a file of that name; it may have one for others. */
export class NoPlace extends Error {}

/** Where `artifact` goes below `folder`. @throws Failure where its name leads out of it */
export function pathFor(folder: string, { name }: Pick<Artifact, 'name'>): string {
  // The contract allows no other names; a path outside of the folder must not depend on that.
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..' || /[\u0000-\u001f\\]/.test(part))) {
    throw new Failure(EXIT.refused, `"${name}" is no name for a file in a folder.`);
  }
  return join(folder, name);
}

/**
 * Downloads `artifact` to `path`. `written` are the files of earlier calls, which this one adds to and does not replace, whatever
 * names the file system takes for one. @throws NoPlace, and Failure where the bytes are not those that were stored
 */
export async function downloadTo(invocation: Invocation, artifact: Artifact, path: string, written: Set<string>): Promise<void> {
  // Not named after it: its name may be as long as a name can be.
  const part = join(dirname(path), `.${artifact.id}.part`);
  const file = await begin(path, part, written);
  try {
    const hash = createHash('sha256');
    const there = await hashThere(part, hash);
    await receive(invocation, artifact, there, async (chunk) => {
      hash.update(chunk);
      await file.appendFile(chunk);
    });
    if (hash.digest('hex') !== artifact.sha256) {
      await rm(part, { force: true });
      throw new Failure(EXIT.refused, `${artifact.name} is not what was stored: its SHA-256 is another. The part was removed; try again.`);
    }
  } finally {
    await file.close();
  }
  await rename(part, path);
  written.add(identityOf(await lstat(path, { bigint: true })));
}

async function begin(path: string, part: string, written: ReadonlySet<string>): Promise<FileHandle> {
  try {
    await makeFolder(dirname(path));
    const there = await lstat(path, { bigint: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    if (there?.isDirectory() === true) throw new NoPlace(`${path} is a folder`);
    if (there !== null && written.has(identityOf(there))) {
      throw new NoPlace(`${path} holds another file of the task, whose name is the same there`);
    }
    return await open(part, 'a+');
  } catch (error) {
    if (!NAME_CODES.has(codeOf(error))) throw error;
    throw new NoPlace((error as Error).message, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

async function hashThere(part: string, hash: Hash): Promise<number> {
  let bytes = 0;
  for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return bytes;
}

/** Gives the bytes of `artifact` from `from` on to `take`, in their order; goes on where the connection breaks. */
export async function receive(
  invocation: Invocation, artifact: Artifact, from: number, take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  let at = from;
  await readToEnd(invocation, {
    open: async () => (at < artifact.bytes ? (await invocation.client.downloadArtifact(artifact.task_id, artifact.id, at)).stream : null),
    read: async (body, advanced) => {
      for await (const chunk of body) {
        await take(chunk);
        at += chunk.length;
        advanced();
        invocation.terminal.bar(artifact.name, at, artifact.bytes);
      }
    },
  });
}
