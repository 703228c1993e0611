/** What the metrics show of a database that is away, or that does not say. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { readConfig } from '../src/config.js';
import { createMetrics } from '../src/metrics.js';
import { watchQueue } from '../src/queue-metrics.js';
import { Readiness } from '../src/queue/readiness.js';
import { startServer } from '../src/server.js';
import { eventually } from './support/actors.js';
import { callerOf, startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';

const OF_THE_DATABASE = ['task_executor_queue_tasks', 'task_executor_queue_oldest_seconds', 'task_executor_workers', 'task_executor_oldest_snapshot_seconds'];

/** Which of the gauges that are read from the database have a value, and whether it is up. */
function shown(text: string): { up: string | undefined; read: string[] } {
  return {
    up: /^task_executor_database_up (\S+)$/m.exec(text)?.[1],
    read: OF_THE_DATABASE.filter((name) => new RegExp(`^${name}[ {]`, 'm').test(text)),
  };
}

describe('metrics', () => {
  it('show nothing of a database that is away, say so, and show it again', async () => {
    const database = await createTestDatabase();
    const proxy = await startProxy(database.url);
    const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3' });
    const server = await startServer({ config, databaseUrl: proxy.url, log: pino({ level: 'silent' }) });
    const read = async (): Promise<ReturnType<typeof shown>> => shown((await callerOf(server.url)('GET', '/metrics')).body as string);
    try {
      expect(await read()).to.deep.equal({ up: '1', read: OF_THE_DATABASE });
      proxy.cut();
      const away = await eventually(async () => {
        const now = await read();
        return now.up === '0' && now;
      });
      expect(away.read).to.deep.equal([]);
      proxy.mend();
      const back = await eventually(async () => {
        const now = await read();
        return now.up === '1' && now;
      });
      expect(back.read).to.deep.equal(OF_THE_DATABASE);
    } finally {
      await server.stop();
      await proxy.stop();
      await database.drop();
    }
  });

  it('do not wait for a database that does not answer', async () => {
    const api = await startTestApi();
    try {
      const metrics = createMetrics();
      watchQueue(metrics, api.db, new Readiness(api.db), 50);
      await api.db.transaction().execute(async (transaction) => {
        await sql`lock table workers in access exclusive mode`.execute(transaction);
        expect(shown(await metrics.registry.metrics())).to.deep.equal({ up: '0', read: [] });
      });
      await eventually(async () => shown(await metrics.registry.metrics()).up === '1');
    } finally {
      await api.stop();
    }
  });
});
