/**
 * Replicas that are restarted one after another, as an upgrade does it, while clients submit and workers run: a call that fails is
 * repeated at another replica, every task runs once, and none is lost.
 */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { createEmptyDatabase, type TestDatabase } from '../packages/api/test/support/database.js';
import { INVARIANTS } from '../packages/api/test/support/invariants.js';
import { logged, Processes, terminate } from './support/processes.js';

const packageFolder = (name: string): string => fileURLToPath(new URL(`../packages/${name}`, import.meta.url));
const CLIENTS = 6;
/** Tasks that are accepted while the replicas are as they are, before the next is restarted. */
const BETWEEN = 40;
const MOST_TRIES = 200;

describe('three replicas that are restarted in turn', function () {
  this.timeout(180_000);
  let folder: string;
  let database: TestDatabase;
  const processes = new Processes();
  const replicas: { url: string; child: ChildProcess }[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-rolling-'));
    database = await createEmptyDatabase();
    for (let n = 0; n < 3; n++) replicas.push(await startReplica('0'));
  });
  after(async () => {
    await processes.killAll();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function startReplica(port: string): Promise<{ url: string; child: ChildProcess }> {
    const child = processes.start(packageFolder('api'), ['serve'], {
      DATABASE_URL: database.url, DATA_DIR: folder, PORT: port, NUM_INTERNAL_WORKERS: '0', GENERAL_POOL_SIZE: '4', LEASE_POOL_SIZE: '4',
    });
    return { child, url: await logged(child, 'listening', 'url') };
  }

  it('answer every call that is repeated, and run every task once', async () => {
    const workers = replicas.map(({ url }, n) => processes.start(packageFolder('worker'), ['start'], {
      API_URL: url, WORKER_CONCURRENCY: '5', SPOOL_DIR: join(folder, `spool-${n}`),
    }));
    await Promise.all(workers.map((worker) => logged(worker, 'registered', 'worker_id')));
    const accepted = new Set<string>();
    let stopped = false;

    /** The id of a task that was submitted at whichever replica takes it. */
    async function submit(first: number): Promise<string> {
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const body = JSON.stringify({ problem_id: 'test-rolling', parameters: { max_steps: 2, duration_seconds: 0.1 } });
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const answer = await fetch(`${replicas[(first + tries) % replicas.length]?.url}/api/v1/tasks`, { method: 'POST', headers, body }).catch(() => null);
        if (answer !== null && answer.status !== 503) {
          expect(answer.status).to.equal(201);
          return ((await answer.json()) as { id: string }).id;
        }
        await sleep(20);
      }
      throw new Error('no replica took a task');
    }
    const clients = Promise.all(Array.from({ length: CLIENTS }, async (_none, n) => {
      for (let k = n; !stopped; k++) {
        accepted.add(await submit(k));
        // No faster than the workers are.
        await sleep(40);
      }
    }));
    const acceptMore = async (): Promise<void> => {
      const wanted = accepted.size + BETWEEN;
      while (accepted.size < wanted) await Promise.race([clients, sleep(20)]);
    };
    for (const [n, replica] of replicas.entries()) {
      await acceptMore();
      expect(await terminate(replica.child)).to.equal(0);
      await acceptMore();
      replicas[n] = await startReplica(new URL(replica.url).port);
    }
    await acceptMore();
    stopped = true;
    await clients;

    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      for (;;) {
        const { rows: [left] } = await client.query<{ tasks: number }>('select count(*)::int as tasks from queue');
        if (left?.tasks === 0) break;
        await sleep(50);
      }
      const { rows } = await client.query<{ id: string }>(`select task_id as id from outcomes where status = 'completed' and attempt = 1`);
      expect(rows.map(({ id }) => id).sort()).to.deep.equal([...accepted].sort());
      for (const [name, query] of Object.entries(INVARIANTS)) expect((await client.query(query)).rows, name).to.deep.equal([]);
    } finally {
      await client.end();
    }
    for (const child of [...workers, ...replicas.map((replica) => replica.child)]) expect(await terminate(child)).to.equal(0);
  });
});
