/** A database of every earlier level, with data, is served by the API of today, which migrates it: all is there, and all goes on. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { readConfig } from '../src/config.js';
import { openDatabases, type Databases } from '../src/db/database.js';
import { migrate } from '../src/db/migrate.js';
import { startServer, type RunningServer } from '../src/server.js';
import { eventually, TestWorker } from './support/actors.js';
import { callerOf, type Caller } from './support/api.js';
import type { TestDatabase } from './support/database.js';
import { createEarlierDatabase, NAMES } from './support/earlier.js';
import { expectInvariants } from './support/invariants.js';
import { NO_SWEEPS, testSweeper } from './support/sweeper.js';

const log = pino({ level: 'silent' });
const taskId = (n: number): string => `01900000-0000-7000-8000-000000000${n}`;
const SESSION = '00000000-0000-4000-8000-00000000a001';

/** A task as SQL that every level understands sees it. */
interface Old {
  id: string;
  status: string;
  attempts: number;
  lines: number;
  result: unknown;
  error: string | null;
  worker_id: string | null;
}

async function oldTasks({ general }: Databases): Promise<Old[]> {
  const { rows } = await sql<Old>`
    select t.id, coalesce(o.status, case q.state when 'running' then 'running' else 'pending' end) as status, o.result, o.error,
           coalesce(o.worker_id, q.worker_id) as worker_id,
           (select count(*) from attempts a where a.task_id = t.id) + case q.state when 'running' then 1 else 0 end as attempts,
           (select count(*) from task_logs l where l.task_id = t.id) as lines
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id order by t.id`.execute(general);
  return rows;
}

for (const [index, name] of NAMES.slice(0, -1).entries()) {
  describe(`a database of ${name}, with data`, function () {
    this.timeout(60_000);
    const level = index + 1;
    let database: TestDatabase;
    let databases: Databases;
    let kept: Old[];
    let server: RunningServer;
    let api: Caller;

    before(async () => {
      database = await createEarlierDatabase(level);
      databases = openDatabases(database.url, { lease: 1, general: 1 }, log);
      kept = await oldTasks(databases);
      // As the earlier API, which is to be stopped, leaves the database.
      await databases.close();
      expect(await migrate({ databaseUrl: database.url, log })).to.deep.equal(NAMES.slice(level));
      databases = openDatabases(database.url, { lease: 2, general: 4 }, log);
      const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', NUM_INTERNAL_WORKERS: '0', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3' });
      server = await startServer({ config: { ...config, ...NO_SWEEPS }, databaseUrl: database.url, log });
      api = { call: callerOf(server.url) };
    });
    after(async () => {
      await server?.stop();
      await databases?.close();
      await database?.drop();
    });

    it('keeps every task with its attempts and logs, and every invariant', async () => {
      expect(await oldTasks(databases)).to.deep.equal(kept);
      await expectInvariants(databases.general, { settled: false });
      for (const old of kept) {
        const task = (await api.call('GET', `/api/v1/tasks/${old.id}`)).body;
        expect(task, old.id).to.deep.include({ status: old.status, worker_id: old.worker_id, result: old.result });
        const attempts = (await api.call('GET', `/api/v1/tasks/${old.id}/attempts`)).body;
        expect(attempts.attempts, old.id).to.have.length(old.attempts);
        const logs = (await api.call('GET', `/api/v1/tasks/${old.id}/logs`)).body;
        expect(logs.total, old.id).to.equal(old.lines);
      }
    });

    it('is listed and counted as it is', async () => {
      const listed = (await api.call('GET', '/api/v1/tasks?page_size=100')).body;
      expect(listed.total).to.equal(kept.length);
      expect(listed.tasks.map(({ id }: { id: string }) => id).sort()).to.deep.equal(kept.map(({ id }) => id));
      const stats = (await api.call('GET', '/api/v1/tasks/stats')).body;
      for (const status of ['pending', 'running', 'completed', 'failed', 'timeout', 'cancelled']) {
        const those = kept.filter((task) => task.status === status);
        expect(stats[`${status}_tasks`], status).to.equal(those.length);
        expect((await api.call('GET', `/api/v1/tasks?status=${status}&page_size=100`)).body.total, status).to.equal(those.length);
      }
      expect((await api.call('GET', '/api/v1/tasks?problem_id=test-cancelled')).body.total).to.equal(3);
    });

    it('takes the report of a task that runs from the session that has it', async () => {
      const answer = await api.call('POST', `/api/v1/workers/worker-001-kind/tasks/${taskId(103)}/complete`, { score: 1 }, {
        'worker-session': SESSION, 'task-attempt': '1',
      });
      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.include({ status: 'completed', result: { score: 1 } });
    });

    it('goes on with what was left: the lapsed, the due, the blocked, the pending', async () => {
      const sweep = testSweeper(databases.general, database.url);
      await api.call('POST', '/api/v1/queue/resume', {});
      await api.call('POST', '/api/v1/queue/resume', { problem_id: 'test-paused' });
      const worker = await TestWorker.register(api, { parallel: 100 });
      const done = new Set<string>();
      await eventually(async () => {
        await sweep();
        for (let claimed = await worker.claim(); claimed.status === 200; claimed = await worker.claim()) {
          done.add(claimed.body.id as string);
          expect((await worker.report('complete', claimed.body.id as string, { done: true })).status).to.equal(200);
        }
        const left = (await oldTasks(databases)).filter(({ status }) => status === 'pending' || status === 'running');
        return left.every(({ id }) => id === taskId(208));
      });
      await sweep();
      await expectInvariants(databases.general, { settled: true });
      const lost = (await api.call('GET', `/api/v1/tasks/${taskId(104)}/attempts`)).body.attempts;
      expect(lost.map(({ outcome }: { outcome: string }) => outcome)).to.deep.equal(['lost', 'lost', 'completed']);
      for (const { id, status } of kept) {
        if (status !== 'pending' && status !== 'running') expect(done.has(id), id).to.equal(false);
      }
      if (level < 2) return;
      const ended = new Map((await oldTasks(databases)).map((task) => [task.id, task.status]));
      expect(ended.get(taskId(202)), 'its parent completed').to.equal('completed');
      expect(ended.get(taskId(206)), 'its parent failed').to.equal('cancelled');
      expect(ended.get(taskId(207)), 'it runs anyway').to.equal('completed');
      expect(ended.get(taskId(208)), 'its time has not come').to.equal('pending');
      expect(done.has(taskId(212)), 'it takes the result of its equal').to.equal(false);
      expect(ended.get(taskId(212))).to.equal('completed');
      if (level < 3) return;
      const schedule = (await api.call('GET', '/api/v1/schedules/00000000-0000-4000-8000-000000000301')).body;
      expect(schedule.last_task_id).to.not.equal(taskId(301));
      if (level < 4) return;
      expect(ended.get(taskId(402)), 'the bulk operation went on').to.equal('cancelled');
      if (level < 5) return;
      expect((await api.call('GET', `/api/v1/tasks/${taskId(105)}/artifacts`)).body.artifacts).to.have.length(1);
      if (level < 13) return;
      expect(done.has(taskId(503)), 'it stands in for the one that stood in').to.equal(true);
      expect([done.has(taskId(504)), ended.get(taskId(504))], 'it takes the result of that one').to.deep.equal([false, 'completed']);
    });
  });
}
