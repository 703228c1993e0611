/** A server of the PostgreSQL that is installed on this host, with its client programs; the embedded one comes without those. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from './actors.js';

const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore'] as const;

export interface InstalledPostgres {
  /** The address of one of its databases. */
  urlOf(database: string): string;
  query(text: string): Promise<unknown>;
  /** Runs a program of the same version. @throws where it fails, with what it said */
  run(program: (typeof PROGRAMS)[number], args: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

function binaries(): string | null {
  try {
    const folder = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return PROGRAMS.every((name) => existsSync(join(folder, name))) ? folder : null;
  } catch {
    return null;
  }
}

/** PostgreSQL does not run as root. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));
  return { uid: uid!, gid: gid! };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function run(file: string, args: readonly string[], as: { uid?: number; gid?: number } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...as, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${file} ended with ${code}: ${said}`));
    });
  });
}

/** Null where none is installed. */
export async function startInstalledPostgres(): Promise<InstalledPostgres | null> {
  const bin = binaries();
  if (bin === null) return null;
  const as = owner();
  const folder = mkdtempSync(join(tmpdir(), 'task-executor-installed-'));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  for (const path of [folder, data]) if (as.uid !== undefined && as.gid !== undefined) chownSync(path, as.uid, as.gid);
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'], as);
  const port = await freePort();
  const server = spawn(join(bin, 'postgres'), [
    '-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off',
  ], { ...as, cwd: data, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.on('close', resolve));
  const urlOf = (database: string): string => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const query = async (text: string): Promise<unknown> => {
    const client = new pg.Client({ connectionString: urlOf('postgres') });
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  };
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    await eventually(() => query('select 1').catch(() => null));
  } catch (error) {
    await stop();
    throw error;
  }
  return { urlOf, query, run: (program, args) => run(join(bin, program), args), stop };
}
