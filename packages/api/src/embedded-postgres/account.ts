/**
 * Which user the server runs as. PostgreSQL refuses to be root; for any other user it is that user. As root it is the
 * owner of the data folder where there is one, else `postgres` where that user exists, else `nobody`: no user is created,
 * so that starting an application changes nothing in /etc. initdb looks its user up by name, so a bare number will not do.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedPostgresError } from './error.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account for the cluster in `cluster` (which may not exist yet); null means: the user we are. */
export async function chooseAccount(cluster: string): Promise<Account | null> {
  const owner = await stat(cluster).catch(() => null);
  const self = process.getuid?.() ?? -1;
  if (self !== 0) {
    if (owner !== null && owner.uid !== self) {
      throw new EmbeddedPostgresError(
        `${cluster} belongs to another user (uid ${String(owner.uid)}): start as that user or as root, or set DATA_DIR to another folder.`,
      );
    }
    return null;
  }
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined) {
    throw new EmbeddedPostgresError('PostgreSQL cannot run as root, and there is no user postgres or nobody: start as an ordinary user, or set DATABASE_URL.');
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Whether `account` may walk to `path` (a real path): every folder above it must let it through. */
export async function canReach(path: string, account: Account): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
