/** A backup by pg_dump while the service runs, restored into another database: nothing that was acknowledged before it is missing, and it serves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Caller, type TestApi } from './support/api.js';
import { startInstalledPostgres, type InstalledPostgres } from './support/installed-postgres.js';
import { breaches, INVARIANTS, SETTLED } from './support/invariants.js';

const TASKS_BEFORE = 150;
const LONG_MS = 120_000;
const TERMINAL = ['completed', 'failed', 'timeout', 'cancelled'];

describe('a backup of a running system', function () {
  this.timeout(LONG_MS);
  let server: InstalledPostgres | null = null;
  let api: TestApi;
  let folder: string;
  before(async function () {
    server = await startInstalledPostgres();
    if (server === null) {
      console.log('      PostgreSQL with its client programs is not installed: not checked');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'task-executor-backup-'));
    api = await startTestApi();
  });
  after(async () => {
    if (server === null) return;
    await api.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function found(database: string, invariants: Readonly<Record<string, string>>): Promise<string[]> {
    const client = new pg.Client({ connectionString: server!.urlOf(database) });
    await client.connect();
    try {
      return await breaches((text) => client.query(text), invariants);
    } finally {
      await client.end();
    }
  }

  /** Submits tasks, some of which wait for others, into `acknowledged` until `stop` aborts. */
  async function submitting(live: Caller, acknowledged: string[], stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const last = acknowledged.at(-1);
      const follows = acknowledged.length % 5 === 0 && last !== undefined;
      acknowledged.push(await submitTask(live, { problem_id: 'backup', ...(follows && { depends_on: [last], on_dependency_failure: 'run_anyway' }) }));
    }
  }

  /** Claims and ends tasks, one in seven as failed, and keeps every tenth running. */
  async function working(worker: TestWorker, isOver: () => boolean): Promise<void> {
    for (let n = 1; !isOver(); n++) {
      const { status, body } = await worker.claim();
      if (status === 204) await new Promise((resolve) => setTimeout(resolve, 5));
      else if (n % 7 === 0) await worker.report('fail', body.id as string, { error: 'x', retryable: n % 2 === 0 });
      else if (n % 10 !== 0) await worker.report('complete', body.id as string, { n });
    }
  }

  it('is whole, and goes on', async () => {
    await server!.query('create database live');
    await server!.query('create database restored');
    const live = await api.replica({}, server!.urlOf('live'));
    const worker = await TestWorker.register(live, { parallel: 500, globs: ['backup'] });
    const stop = new AbortController();
    const acknowledged: string[] = [];
    const load = Promise.all([submitting(live, acknowledged, stop.signal), submitting(live, acknowledged, stop.signal), working(worker, () => stop.signal.aborted)]);
    await eventually(() => Promise.resolve(acknowledged.length >= TASKS_BEFORE), LONG_MS);
    const before = [...acknowledged];
    const file = join(folder, 'dump');
    await server!.run('pg_dump', ['--format=custom', '--file', file, server!.urlOf('live')]);
    const during = acknowledged.length - before.length;
    stop.abort();
    await load;
    expect(during, 'tasks submitted while the backup was made').to.be.above(0);

    await server!.run('pg_restore', ['--exit-on-error', '--dbname', server!.urlOf('restored'), file]);
    expect(await found('restored', INVARIANTS)).to.deep.equal([]);
    const restored = await api.replica({}, server!.urlOf('restored'));
    for (const id of before) await readTask(restored, id);
    // What ran goes back when its worker comes again.
    const again = await TestWorker.register(restored, { id: worker.id, parallel: 500, globs: ['backup'] });
    let left = Infinity;
    await Promise.all([
      working(again, () => left === 0),
      eventually(async () => {
        // What is kept running is handed back, too.
        const { body } = await restored.call('GET', '/api/v1/tasks?status=running&page_size=100');
        for (const { id } of (body as unknown as { tasks: { id: string }[] }).tasks) await again.report('release', id, {});
        const { pending_tasks: pending, running_tasks: running } = (await restored.call('GET', '/api/v1/tasks/stats')).body as { pending_tasks: number; running_tasks: number };
        left = pending + running;
        return left === 0;
      }, LONG_MS),
    ]);
    for (const id of before) expect((await readTask(restored, id)).status).to.be.oneOf(TERMINAL);
    expect(await found('restored', { ...INVARIANTS, ...SETTLED })).to.deep.equal([]);
  });
});
