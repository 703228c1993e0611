/** A whole process that is to end while its internal workers wait for a registration, which its database does not let them have. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { eventually } from './support/actors.js';
import { callerOf } from './support/api.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';

type Api = ChildProcessByStdio<null, Readable, null>;

const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('the end of an API process', () => {
  const processes: Api[] = [];
  let database: TestDatabase;
  let dataDir: string;
  beforeEach(async () => {
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
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', NUM_INTERNAL_WORKERS: '1', ...environment }, stdio: ['ignore', 'pipe', 'ignore'],
    });
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
