/** One upgrade under load: a version that serves, the API of today beside it, then the API of today alone. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import pg from 'pg';
import { logged, terminate, type Processes } from '../support/processes.js';
import { judge, type Findings } from './judge.js';
import { ROOT, type Level } from './levels.js';
import { Load } from './load.js';

/** Tasks that are accepted before the next thing happens, and how long that is waited for at most. */
const TASKS = 60;
const PATIENCE_MS = 15_000;
const CLIENTS = 4;

export interface Upgrade {
  readonly level: Level;
  /** Why the API of today did not begin beside the earlier one; null where it did. */
  readonly refusal: string | null;
  readonly load: Load;
  readonly findings: Findings;
  /** Of the earlier API, which was asked to end. */
  readonly exitCode: number | null;
}

interface Stage {
  readonly level: Level;
  /** A built worktree of the earlier version. */
  readonly worktree: string;
  readonly folder: string;
  readonly databaseUrl: string;
  readonly besideMs: number;
  readonly processes: Processes;
  readonly stop: AbortSignal;
}

interface Api {
  readonly child: ChildProcess;
  readonly url: string;
}

export async function upgrade({ level, worktree, folder, databaseUrl, besideMs, processes, stop }: Stage): Promise<Upgrade> {
  const startApi = async (root: string, port: string): Promise<Api> => {
    stop.throwIfAborted();
    const dataDir = join(folder, `data-${level.commit}`);
    await mkdir(dataDir, { recursive: true });
    const child = processes.start(join(root, 'packages/api'), ['serve'], {
      DATABASE_URL: databaseUrl, DATA_DIR: dataDir, PORT: port, NUM_INTERNAL_WORKERS: '0', LEASE_SECONDS: '30', GENERAL_POOL_SIZE: '4', LEASE_POOL_SIZE: '4',
    }, 'pipe');
    const said: string[] = [];
    child.stderr?.on('data', (text: Buffer) => said.push(text.toString()));
    return { child, url: await logged(child, 'listening', 'url').catch(() => Promise.reject(new Error(said.join('').trim()))) };
  };
  const startWorker = async (root: string, url: string, name: string): Promise<{ child: ChildProcess; id: string }> => {
    const child = processes.start(join(root, 'packages/worker'), ['start'], {
      API_URL: url, WORKER_CONCURRENCY: '12', SPOOL_DIR: join(folder, `spool-${level.commit}-${name}`),
    });
    return { child, id: await logged(child, 'registered', 'worker_id') };
  };

  const old = await startApi(worktree, '0');
  await startWorker(worktree, old.url, 'old');
  const load = new Load();
  try {
    load.start('old', old.url, CLIENTS, { dependencies: level.name !== '1' });
    await load.accepts(TASKS, PATIENCE_MS);

    load.era = 'beside';
    let refusal: string | null = null;
    const beside = await startApi(ROOT, '0').catch((error: unknown) => {
      refusal = (error as Error).message;
      return null;
    });
    let newWorker: { child: ChildProcess; id: string } | null = null;
    if (beside !== null) {
      newWorker = await startWorker(ROOT, beside.url, 'new');
      load.start('new', beside.url, CLIENTS / 2, { dependencies: true });
    }
    await sleep(besideMs, undefined, { signal: stop });
    load.era = 'between';
    const exitCode = await terminate(old.child);
    const since = await databaseTime(databaseUrl);
    // The workers and clients of the earlier API find one of today at its address.
    await startApi(ROOT, new URL(old.url).port);
    load.era = 'after';
    // The worker of the earlier version has to do the rest.
    if (newWorker !== null) await terminate(newWorker.child);
    await load.accepts(TASKS, PATIENCE_MS);
    await load.stop();
    const findings = await judge({ databaseUrl, url: old.url, load, newWorker: newWorker?.id ?? null, since });
    return { level, refusal, load, findings, exitCode };
  } finally {
    await load.stop();
    await processes.killAll();
  }
}

async function databaseTime(databaseUrl: string): Promise<Date> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  await client.end();
  return rows[0]?.now ?? new Date(0);
}
