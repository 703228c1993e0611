/**
 * The script that a command hands to an interpreter. One that is missing is the host's fault, as a missing program is: the interpreter
 * would start well and fail one task after the other. Where it is not certain that a word is a script, none is seen.
 */
import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

const INTERPRETERS = /^(python[0-9.]*|node|tsx|bun|(ba|da|z|k)?sh|ruby|perl|php|Rscript|julia|lua)$/;
/** Options that are followed by code, or by the name of a module. */
const TAKES_CODE = /^-[A-Za-z]*[cempr]$|^--(eval|print)$/;

/** The word of `argv` that is a script, if it is a path that says where it starts; null: none is seen. */
function scriptOf(argv: readonly string[]): string | null {
  const [program = '', ...words] = argv;
  if (!INTERPRETERS.test(basename(program))) return null;
  for (const word of words) {
    if (TAKES_CODE.test(word)) return null;
    if (!word.startsWith('-')) return /^\.{0,2}\//.test(word) ? word : null;
  }
  return null;
}

/** Why the script in `argv`, which is about to be run in `folder`, could not be, or null. */
export async function scriptFault(argv: readonly string[], folder: string): Promise<string | null> {
  const script = scriptOf(argv);
  if (script === null) return null;
  const path = resolve(folder, script);
  try {
    await access(path, constants.R_OK);
    return null;
  } catch {
    return `the script ${path} is not there, or cannot be read`;
  }
}

/**
 * Why the script in `argv`, the words of a catalog in `folder`, could not be run, or null. Only a script that comes with the catalog is
 * looked for: any other may be made by what runs before it.
 */
export async function catalogScriptFault(argv: readonly string[], folder: string): Promise<string | null> {
  return scriptOf(argv)?.startsWith('.') === true ? scriptFault(argv, folder) : null;
}
