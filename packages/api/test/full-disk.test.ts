/**
 * A database whose disk is full: what must be stored is refused for now, what is there can be read, and nothing needs anybody once there
 * is room. The disk is a tmpfs that holds a tablespace; where none can be mounted for the server of the tests, this is skipped.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Caller, type TestApi } from './support/api.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { breaches, INVARIANTS } from './support/invariants.js';

const DISK_MIB = 48;
const MOST_TASKS = 2_000;
/** A text of so many characters that PostgreSQL cannot compress to less than half. */
const text = (chars: number): string => randomBytes(chars / 2).toString('hex');
const large = () => ({ problem_id: 'full', parameters: { pad: text(20_000) } });

describe('a full disk of the database', function () {
  this.timeout(60_000);
  let api: TestApi;
  let full: Caller;
  let database: TestDatabase;
  let admin: pg.Client;
  let folder: string | null = null;
  const tablespace = `task_executor_full_${process.pid}`;

  before(async function () {
    database = await createTestDatabase();
    const { pathname, href } = new URL(database.url);
    admin = new pg.Client({ connectionString: href.replace(pathname, '/postgres') });
    await admin.connect();
    folder = mkdtempSync(join(tmpdir(), 'task-executor-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      rmSync(folder, { recursive: true });
      folder = null;
      console.log('      a tmpfs cannot be mounted here: not checked');
      this.skip();
    }
    const { rows: [server] } = await admin.query<{ data_directory: string }>('show data_directory');
    const { uid, gid } = statSync(server!.data_directory);
    chmodSync(folder, 0o700);
    chownSync(folder, uid, gid);
    await admin.query(`create tablespace ${tablespace} location '${folder}'`);
    await admin.query(`alter database ${pathname.slice(1)} set tablespace ${tablespace}`);
    api = await startTestApi();
    full = await api.replica({}, database.url);
  });

  after(async () => {
    await (api as TestApi | undefined)?.stop();
    await database.drop();
    await admin.query(`drop tablespace if exists ${tablespace}`).catch(() => undefined);
    await admin.end();
    if (folder === null) return;
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });

  const filler = (): string => join(folder!, 'filler');
  function fill(): void {
    const file = openSync(filler(), 'w');
    try {
      for (const bytes of [1024 * 1024, 4096]) {
        try {
          for (;;) writeSync(file, Buffer.alloc(bytes));
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).to.equal('ENOSPC');
        }
      }
    } finally {
      closeSync(file);
    }
  }

  it('refuses what must be stored until there is room, loses nothing, and recovers by itself', async () => {
    const worker = await TestWorker.register(full, { parallel: 10 });
    const running = await submitTask(full, large());
    expect((await worker.claim()).body.id).to.equal(running);
    fill();
    const taken: string[] = [];
    let refused = null;
    for (let n = 0; n < MOST_TASKS && refused === null; n++) {
      const answer = await full.call('POST', '/api/v1/tasks', large());
      if (answer.status === 201) taken.push(answer.body.id as string);
      else refused = answer;
    }
    expect(refused?.status).to.equal(503);
    expect(refused?.body.code).to.equal('database_unavailable');
    expect(refused?.headers['retry-after']).to.equal('1');
    // What is there can be read.
    expect((await full.call('GET', '/api/v1/tasks?page_size=1')).body.total).to.equal(taken.length + 1);
    await readTask(full, running);
    // A large result needs room, too.
    const result = { output: text(500_000) };
    const early = await worker.report('complete', running, result, 1);
    expect(early.status).to.be.oneOf([200, 503]);
    rmSync(filler());
    await eventually(async () => (await full.call('POST', '/api/v1/tasks', large())).status === 201);
    expect((await worker.report('complete', running, result, 1)).status).to.equal(200);
    expect((await taskIn(full, running, 'completed')).result).to.deep.equal(result);
    for (const id of taken) expect((await readTask(full, id)).status).to.equal('pending');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      expect(await breaches((query) => client.query(query), INVARIANTS)).to.deep.equal([]);
    } finally {
      await client.end();
    }
  });
});
