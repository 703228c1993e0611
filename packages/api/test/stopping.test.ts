/** A whole process that is to end: while its internal workers wait for what its database does not let them have, and with its pid file. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { MIGRATION_NAME } from '../src/db/database.js';
import { eventually } from './support/actors.js';
import { callerOf } from './support/api.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';

type Api = ChildProcessByStdio<null, Readable, Readable>;

const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('the end of an API process', () => {
  const processes: Api[] = [];
  let database: TestDatabase;
  let dataDir: string;
  /** What the processes of a test have said to whoever started them. */
  let said: string;
  beforeEach(async () => {
    said = '';
    database = await createTestDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'stopping-'));
  });
  afterEach(async () => {
    for (const one of processes.splice(0)) one.kill('SIGKILL');
    await database.drop();
    await rm(dataDir, { recursive: true });
  });

  function start(environment: Record<string, string>): Api {
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, 'serve'], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', NUM_INTERNAL_WORKERS: '1', ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    processes.push(child);
    return child;
  }
  /** Where it serves; what it says further is read on. */
  const served = (api: Api): Promise<string> => new Promise((resolve) => {
    createInterface({ input: api.stdout }).on('line', (line) => {
      const { event, url } = JSON.parse(line) as { event?: string; url?: string };
      if (event === 'listening' && url !== undefined) resolve(url);
    });
  });
  async function codeAtTerm(api: Api): Promise<unknown> {
    const ended = once(api, 'exit');
    api.kill('SIGTERM');
    return (await ended)[0];
  }

  it('leaves the pid file of another replica alone', async () => {
    const [first, second] = [start({ DATABASE_URL: database.url }), start({ DATABASE_URL: database.url })];
    await Promise.all([served(first), served(second)]);
    const noted = await readFile(join(dataDir, 'api.pid'), 'utf8');
    const [owner, other] = noted === `${String(first.pid)}\n` ? [first, second] : [second, first];
    expect(noted).to.equal(`${String(owner.pid)}\n`);
    expect(await codeAtTerm(other)).to.equal(0);
    expect(await readFile(join(dataDir, 'api.pid'), 'utf8')).to.equal(noted);
    expect(await codeAtTerm(owner)).to.equal(0);
    expect(await readdir(dataDir)).not.to.include('api.pid');
  });

  it('comes to a server whose pid file cannot be written, too', async () => {
    await writeFile(join(dataDir, 'taken'), '');
    const api = start({ DATABASE_URL: database.url, DATA_DIR: join(dataDir, 'taken', 'data'), ARTIFACTS_URL: `file:${join(dataDir, 'artifacts')}` });
    expect((await callerOf(await served(api))('GET', '/health')).status).to.equal(200);
    expect(await codeAtTerm(api)).to.equal(0);
  });

  it('comes at once where a database of its own runs and the pid file cannot be written', async () => {
    await mkdir(join(dataDir, 'api.pid'));
    const api = start({});
    void served(api);
    expect((await once(api, 'exit'))[0]).to.equal(1);
    expect(said).to.match(/^The pid file .*api\.pid cannot be written \(.*\): set DATA_DIR to a folder where it can\.\n$/);
    expect(await readdir(dataDir)).not.to.include('postgres.lock');
  });

  it('does not wait for workers that were asked for when the database had gone away', async () => {
    const proxy = await startProxy(database.url);
    try {
      const api = start({ DATABASE_URL: proxy.url, AUTO_START_WORKERS: 'false' });
      const call = callerOf(await served(api));
      proxy.cut();
      const scaled = call('POST', '/api/v1/workers/internal/scale', { num_workers: 2 }).catch(() => null);
      await eventually(async () => (await call('GET', '/api/v1/workers/internal/status')).body.num_workers === 1);
      expect(await codeAtTerm(api)).to.equal(0);
      await scaled;
    } finally {
      await proxy.stop();
    }
  });

  it('does not wait for the migration of another replica', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    try {
      await holder.query('select pg_advisory_lock(3853314791062309107)');
      const api = start({ DATABASE_URL: database.url });
      void served(api);
      const migrating = async (): Promise<boolean> =>
        (await holder.query('select from pg_stat_activity where datname = current_database() and application_name = $1', [MIGRATION_NAME])).rowCount !== 0;
      await eventually(migrating);
      expect(await codeAtTerm(api)).to.equal(0);
      await eventually(async () => !(await migrating()));
    } finally {
      await holder.end();
    }
  });

  for (const [what, mode] of [['workers cannot be read', 'access exclusive'], ['no worker can register', 'share']] as const) {
    it(`does not wait for the rest of its start where ${what}`, async () => {
      const holder = new pg.Client({ connectionString: database.url });
      await holder.connect();
      try {
        await holder.query(`begin; lock table workers in ${mode} mode`);
        const api = start({ DATABASE_URL: database.url });
        void served(api);
        await eventually(async () => {
          const { rowCount } = await holder.query(`
            select from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
             where not l.granted and l.relation = 'workers'::regclass`);
          return rowCount !== 0;
        });
        expect(await codeAtTerm(api)).to.equal(0);
      } finally {
        await holder.end();
      }
    });
  }
});
