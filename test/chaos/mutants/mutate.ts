/**
 * A copy of the built API with a mistake in it. The mistake is a change of text at one exact place; a place that is not there, or
 * there twice, is an error, so a mutant cannot silently become the healthy program. The product has no switch for any of this.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const API = fileURLToPath(new URL('../../../packages/api/', import.meta.url));

export interface Edit {
  /** In packages/api/dist. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Makes it in `folder`; the path of its entry. */
export async function makeMutant(folder: string, edits: readonly Edit[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await cp(join(API, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(API, 'migrations'), join(folder, 'migrations'), { recursive: true });
  await cp(join(API, 'package.json'), join(folder, 'package.json'));
  await symlink(join(API, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, find, replace } of edits) {
    const path = join(folder, 'dist', file);
    await writeFile(path, changed(await readFile(path, 'utf8'), find, replace, file));
  }
  return join(folder, 'dist', 'main.js');
}

/** `text` with `find`, which must be there once, replaced. */
export function changed(text: string, find: string, replace: string, file: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has the place of a mutant ${parts.length - 1} times, not once: ${find}`);
  return parts.join(replace);
}
