/**
 * The cluster on disk: made once by initdb, in a folder beside its place that is then renamed, so that an initdb killed
 * half-way leaves nothing that looks like a cluster. Its password lies in `<dataDir>/postgres.password`, mode 0600.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.js';
import { majorVersion } from './binaries.js';
import { EmbeddedPostgresError, reason } from './error.js';
import type { Places } from './places.js';

export const SUPERUSER = 'postgres';

/** What programs of PostgreSQL are started with: nothing of PG* and LC_* leaks in from the caller's environment. */
export function programOptions(account: Account | null): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return { cwd: '/', env, ...account };
}

/** Makes the cluster where there is none yet and checks the one that is there; returns its password. */
export async function prepareCluster(dataDir: string, places: Places): Promise<string> {
  const passwordFile = join(dataDir, 'postgres.password');
  const wanted = await majorVersion(places.binaries);
  const found = await clusterVersion(places.cluster);
  if (found !== null) {
    if (found !== String(wanted)) {
      throw new EmbeddedPostgresError(
        `${places.cluster} was made by PostgreSQL ${found}, and this is PostgreSQL ${String(wanted)}: dump it with version ${found} and restore it here, set DATA_DIR to another folder, or set DATABASE_URL.`,
      );
    }
    const password = await readFile(passwordFile, 'utf8').catch((error: unknown) => {
      throw new EmbeddedPostgresError(`The password of ${places.cluster} cannot be read from ${passwordFile} (${reason(error)}): put that file back, or set DATA_DIR to another folder.`);
    });
    return password.trim();
  }
  const password = randomBytes(24).toString('base64url');
  await writeDurably(passwordFile, `${password}\n`);
  await initialise(places, password);
  return password;
}

/** The major version that made the cluster; null where there is none. @throws EmbeddedPostgresError where there is something else */
async function clusterVersion(cluster: string): Promise<string | null> {
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null) return version.trim();
  const entries = await readdir(cluster).catch(() => []);
  if (entries.length > 0) {
    throw new EmbeddedPostgresError(`${cluster} holds files that are no PostgreSQL cluster: move them away, or set DATA_DIR to another folder.`);
  }
  return null;
}

async function initialise({ cluster, binaries, account }: Places, password: string): Promise<void> {
  const parent = dirname(cluster);
  const prefix = `${basename(cluster)}.init-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
  const draft = join(parent, `${prefix}${String(process.pid)}`);
  const passwordDraft = `${draft}.password`;
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordDraft, `${password}\n`, { mode: 0o600 });
  try {
    if (account !== null) {
      for (const path of [draft, passwordDraft]) await chown(path, account.uid, account.gid);
    }
    await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${draft}`, `--username=${SUPERUSER}`, `--pwfile=${passwordDraft}`, '--auth=scram-sha-256', '--encoding=UTF8',
        // Built into PostgreSQL: sorts and folds the same on every machine, whatever its C library.
        '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
      ],
      programOptions(account),
    );
    await rm(cluster, { recursive: true, force: true });
    await rename(draft, cluster);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw new EmbeddedPostgresError(`The embedded PostgreSQL could not make its data folder ${cluster}: ${reason(error)}`);
  } finally {
    await rm(passwordDraft, { force: true });
  }
  await stat(join(cluster, 'PG_VERSION'));
}

/** Writes to the disk itself, before the cluster is there: one whose password was lost in a power cut would be of no use. */
async function writeDurably(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
