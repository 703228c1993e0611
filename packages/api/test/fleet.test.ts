/**
 * The whole system as processes: one API, two workers, 300 tasks of mixed priority, one worker killed half-way. Every
 * task ends completed, with one outcome each, and nothing is lost.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Databases } from '../src/db/database.js';
import { createEmptyDatabase, type TestDatabase } from './support/database.js';

const TASKS = 300;

function start(program: string, args: string[], environment: Record<string, string>): ChildProcess {
  const path = fileURLToPath(new URL(`../../${program}/dist/main.js`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr?.resume();
  return child;
}

/** The first log line of a process with this event. */
async function event(child: ChildProcess, name: string): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    text += chunk.toString();
    for (const line of text.split('\n').slice(0, -1)) {
      if (!line.includes(`"event":"${name}"`)) continue;
      child.stdout?.resume();
      return JSON.parse(line) as Record<string, unknown>;
    }
  }
  throw new Error(`the process ended without ${name}: ${text.slice(-2000)}`);
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}

interface Recount {
  tasks: number;
  completed: number;
  queued: number;
  completions: number;
  /** Tasks whose attempts have gaps, or not exactly one completion. */
  broken: number;
}

async function recount(databases: Databases): Promise<Recount | undefined> {
  const { rows } = await sql<Recount>`
    select (select count(*) from tasks) as tasks, (select count(*) from outcomes where status = 'completed') as completed,
           (select count(*) from queue) as queued, (select count(*) from attempts where outcome = 'completed') as completions,
           (select count(*) from (select from attempts group by task_id
              having max(attempt) <> count(*) or count(*) filter (where outcome = 'completed') <> 1) as wrong) as broken`
    .execute(databases.general);
  return rows[0];
}

describe('a fleet of processes', function () {
  this.timeout(180_000);
  const children: ChildProcess[] = [];
  let database: TestDatabase;
  let dataDir: string;
  let url: string;

  before(async () => {
    database = await createEmptyDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'task-executor-fleet-'));
    const api = start('api', ['serve'], {
      DATABASE_URL: database.url, DATA_DIR: dataDir, PORT: '0', AUTO_START_WORKERS: 'false', LEASE_SECONDS: '3', HEARTBEAT_INTERVAL_SECONDS: '0.5',
    });
    children.push(api);
    url = String((await event(api, 'listening')).url);
  });

  after(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function get<T>(path: string): Promise<T> {
    return (await (await fetch(`${url}${path}`)).json()) as T;
  }

  it('completes every task once, though a worker is killed half-way', async () => {
    const worker = (): ChildProcess => {
      const child = start('worker', ['start', '--api-url', url, '--concurrency', '8'], {});
      children.push(child);
      return child;
    };
    const [first, second] = [worker(), worker()];
    await Promise.all([event(first, 'registered'), event(second, 'registered')]);
    for (let n = 0; n < TASKS; n++) {
      const answer = await fetch(`${url}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ problem_id: `test-${n % 7}`, priority: n % 11, max_lost: 100, parameters: { n, max_steps: 3, duration_seconds: 0.3 } }),
      });
      expect(answer.status).to.equal(201);
    }
    const stats = () => get<Record<string, number>>('/api/v1/tasks/stats');
    await eventually(async () => ((await stats()).completed_tasks ?? 0) >= TASKS / 2);
    first.kill('SIGKILL');
    await eventually(async () => {
      const now = await stats();
      return now.pending_tasks === 0 && now.running_tasks === 0;
    });
    expect(await stats()).to.include({ total_tasks: TASKS, completed_tasks: TASKS, failed_tasks: 0, success_rate: 1 });

    const databases = openDatabases(database.url, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    try {
      expect(await recount(databases)).to.include({ tasks: TASKS, completed: TASKS, queued: 0, completions: TASKS, broken: 0 });
    } finally {
      await databases.close();
    }
  });
});
