/**
 * The embedded PostgreSQL through the misfortunes it is there to survive. It is started from processes of its own wherever
 * one has to die: fixtures/embedded-postgres-holder.ts starts it, prints one line and waits; or a whole
 * API does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isAlive, startMark } from '@task-executor/shared';
import { expect } from 'chai';
import pg from 'pg';
import { EmbeddedPostgresError, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded-postgres.js';
import { takeLock } from '../src/embedded-postgres/lock.js';
import { endPostmaster, endPostmasterNow, readPidFile } from '../src/embedded-postgres/postmaster.js';
import { isPostmasterOf, waitForEnd } from '../src/embedded-postgres/processes.js';
import { eventually, readTask, submitTask } from './support/actors.js';
import { callerOf } from './support/api.js';

const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const HOLDER = fileURLToPath(new URL('./fixtures/embedded-postgres-holder.ts', import.meta.url));

describe('embedded PostgreSQL', function () {
  this.timeout(60_000);
  let dataDir: string;
  const holders: ChildProcess[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  });

  afterEach(async () => {
    for (const holder of holders.splice(0)) holder.kill('SIGKILL');
    const left = await readPidFile(join(dataDir, 'postgres'));
    if (left !== null && (await isPostmasterOf(left.pid, join(dataDir, 'postgres')))) {
      process.kill(left.pid, 'SIGQUIT');
      await waitForEnd(left.pid, 10_000);
    }
    await rm(dataDir, { recursive: true, force: true });
  });

  it('starts, keeps its data over a restart and leaves no process behind', async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    const answers = await query(first.url, `SELECT current_database() AS name, current_setting('server_encoding') AS encoding,
      current_setting('TimeZone') AS zone, current_setting('fsync') AS fsync, current_setting('max_connections') AS connections,
      current_setting('listen_addresses') AS address, current_setting('password_encryption') AS password`);
    expect(answers).to.deep.equal([{
      name: 'task_executor', encoding: 'UTF8', zone: 'UTC', fsync: 'on', connections: '100', address: '127.0.0.1', password: 'scram-sha-256',
    }]);
    await query(first.url, 'CREATE TABLE kept (value text)');
    await query(first.url, `INSERT INTO kept VALUES ('still here')`);
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(await isAlive(pid)).to.equal(false);

    const second = await startEmbeddedPostgres({ dataDir });
    try {
      expect(await query(second.url, 'SELECT value FROM kept')).to.deep.equal([{ value: 'still here' }]);
    } finally {
      await second.stop();
    }
    expect(await readdir(dataDir)).to.have.members(['postgres', 'postgres.log', 'postgres.password']);
  });

  it('asks for the password, which only its owner can read', async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    try {
      expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).to.equal(0o600);
      const wrong = server.url.replace(/:[^:@/]+@/, ':wrong@');
      expect(String(await query(wrong, 'SELECT 1').catch((error: unknown) => error))).to.match(/password authentication failed/);
    } finally {
      await server.stop();
    }
  });

  it('takes over the server that a killed process left running, and stops it at the end', async () => {
    const { holder, port } = await hold(dataDir);
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await isAlive(pid)).to.equal(true);

    const lines: string[] = [];
    const server = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line) });
    expect(server.port).to.equal(port);
    expect(lines.join()).to.match(/taking over/);
    await server.stop();
    expect(await isAlive(pid)).to.equal(false);
  });

  it('recovers after the server itself was killed, and with a postmaster.pid whose number belongs to somebody else', async () => {
    const { holder } = await hold(dataDir);
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    holder.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await once(holder, 'exit');
    await waitForEnd(pid, 5_000);
    await (await startEmbeddedPostgres({ dataDir })).stop();

    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${String(process.pid)}\n/elsewhere\n1\n5432\n\n127.0.0.1\n1 2\nready\n`);
    await (await startEmbeddedPostgres({ dataDir })).stop();
  });

  it('starts a server again that was killed under a running API, which goes on with all that it had', async () => {
    const api = spawn(process.execPath, ['--import', 'tsx', PROGRAM, 'serve'], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', AUTO_START_WORKERS: 'false' }, stdio: ['ignore', 'pipe', 'ignore'],
    });
    holders.push(api);
    const lines: { event?: string; url?: string; msg?: string }[] = [];
    createInterface({ input: api.stdout }).on('line', (line) => lines.push(JSON.parse(line) as object));
    const call = callerOf(await eventually(() => Promise.resolve(lines.find(({ event }) => event === 'listening')?.url), 50_000));
    const before = await submitTask({ call });
    const killed = (await readPidFile(join(dataDir, 'postgres')))!;
    process.kill(killed.pid, 'SIGKILL');
    await waitForEnd(killed.pid, 5_000);
    expect(await eventually(async () => {
      const answer = await call('POST', '/api/v1/tasks', { problem_id: 'test-a' });
      return answer.status === 201 && answer.body;
    })).to.include({ status: 'pending' });
    expect(await readTask({ call }, before)).to.include({ status: 'pending' });
    const again = (await readPidFile(join(dataDir, 'postgres')))!;
    expect(again).to.include({ port: killed.port, status: 'ready' }).and.not.to.include({ pid: killed.pid });
    const said = lines.flatMap(({ event, msg }) => (event === 'embedded_postgres' ? [msg] : [])).join('\n');
    expect(said).to.match(/\(process \d+\) has ended by itself .*\n(.*\n)*.*is up again \(process \d+\)/);

    api.kill('SIGTERM');
    expect((await once(api, 'exit'))[0]).to.equal(0);
    expect(await isAlive(again.pid)).to.equal(false);
  });

  it('starts none again once it stops, whatever became of it', async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    process.kill(pid, 'SIGKILL');
    await waitForEnd(pid, 5_000);
    await server.stop();
    const left = await readPidFile(join(dataDir, 'postgres'));
    expect(left === null || !(await isPostmasterOf(left.pid, join(dataDir, 'postgres')))).to.equal(true);
    expect(await readdir(dataDir)).not.to.include('postgres.lock');
  });

  it('leaves a process alone that has the number of a server which has ended', async () => {
    const cluster = join(dataDir, 'postgres');
    const other = spawn('sleep', ['600']);
    holders.push(other);
    await endPostmaster(other.pid!, cluster, () => undefined);
    await mkdir(cluster);
    await writeFile(join(cluster, 'postmaster.pid'), `${String(other.pid)}\n${cluster}\n1\n5432\n\n127.0.0.1\n1 2\nready\n`);
    endPostmasterNow(cluster);
    expect(await isAlive(other.pid!)).to.equal(true);
  });

  it('breaks a start off where it is told to, and leaves nothing behind', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    const stopping = new AbortController();
    const outcome = startEmbeddedPostgres({ dataDir, stopping: stopping.signal }).then((server) => server.stop(), (error: unknown) => error);
    let begun = await readPidFile(join(dataDir, 'postgres'));
    while (begun === null) begun = await readPidFile(join(dataDir, 'postgres'));
    stopping.abort();
    expect(await outcome).to.have.property('name', 'AbortError');
    expect(await isAlive(begun.pid)).to.equal(false);
    expect(await readdir(dataDir)).to.have.members(['postgres', 'postgres.log', 'postgres.password']);
  });

  it('does not hand its server the Ctrl-C of the terminal', async () => {
    const { holder } = await hold(dataDir);
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    // The holder leads a process group of its own, as a shell's foreground job does; it ignores SIGINT.
    process.kill(-holder.pid!, 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await isAlive(pid)).to.equal(true);
  });

  it('refuses a data folder that a live process uses', async () => {
    const { holder } = await hold(dataDir);
    const error = await refusal(dataDir);
    expect(error.message).to.match(new RegExp(`in use by process ${String(holder.pid)}: stop`));
  });

  it('reads the locks of earlier versions, which name the start without the boot, or no start', async function () {
    if (process.platform !== 'linux') this.skip();
    const [, ticks = ''] = (await startMark(process.pid))?.split('/') ?? [];
    for (const [mark, isHeld] of [[ticks, true], ['', true], [`${ticks}0`, false]] as const) {
      await writeFile(join(dataDir, 'postgres.lock'), `${String(process.pid)} ${mark}\n`);
      const outcome = await takeLock(dataDir).catch((error: unknown) => error);
      expect(outcome instanceof EmbeddedPostgresError, mark).to.equal(isHeld);
    }
  });

  it('lets one of several processes that start at once have the data folder', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => startEmbeddedPostgres({ dataDir })));
    const started = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(started).to.have.length(1);
    await started[0]!.value.stop();
  });

  it('starts anew after an initdb that was killed half-way', async () => {
    await mkdir(join(dataDir, 'postgres.init-1', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'postgres.init-1', 'PG_VERSION'), '18\n');
    await mkdir(join(dataDir, 'postgres'));
    await (await startEmbeddedPostgres({ dataDir })).stop();
    expect(await readdir(dataDir)).to.have.members(['postgres', 'postgres.log', 'postgres.password']);
  });

  it('names what to do: another version, foreign files, a lost password, a busy port', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    const version = join(dataDir, 'postgres', 'PG_VERSION');
    const current = await readFile(version, 'utf8');
    await writeFile(version, '15\n');
    expect((await refusal(dataDir)).message).to.match(/made by PostgreSQL 15, and this is PostgreSQL \d+: dump it/);
    await rm(version);
    expect((await refusal(dataDir)).message).to.match(/no PostgreSQL cluster: move them away/);
    await writeFile(version, current);

    const password = await readFile(join(dataDir, 'postgres.password'));
    await rm(join(dataDir, 'postgres.password'));
    expect((await refusal(dataDir)).message).to.match(/postgres\.password .*put that file back/);
    await writeFile(join(dataDir, 'postgres.password'), password, { mode: 0o600 });

    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    try {
      const error = await refusal(dataDir, (busy.address() as AddressInfo).port);
      expect(error.message).to.match(/did not start .*see .*postgres\.log/);
    } finally {
      busy.close();
    }
    await (await startEmbeddedPostgres({ dataDir })).stop();
  });

  it('removes its data, but not under a live process', async () => {
    const { holder } = await hold(dataDir);
    expect(await removeEmbeddedPostgres(dataDir).catch((error: unknown) => error)).to.be.instanceOf(EmbeddedPostgresError);
    const { pid } = (await readPidFile(join(dataDir, 'postgres')))!;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await removeEmbeddedPostgres(dataDir);
    expect(await isAlive(pid)).to.equal(false);
    expect(await readdir(dataDir)).to.deep.equal(['postgres.log']);
  });

  /** Starts the server from a process of its own. */
  async function hold(folder: string): Promise<{ holder: ChildProcess; port: number }> {
    const holder = spawn(process.execPath, ['--import', 'tsx', HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    holders.push(holder);
    for await (const line of createInterface({ input: holder.stdout })) return { holder, port: Number(line) };
    throw new Error('the holder ended without a word');
  }
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

async function refusal(dataDir: string, port = 0): Promise<Error> {
  const outcome = await startEmbeddedPostgres({ dataDir, port }).then((server) => server.stop(), (error: unknown) => error);
  expect(outcome).to.be.instanceOf(EmbeddedPostgresError);
  expect((outcome as Error).message).to.not.contain('\n');
  return outcome as Error;
}
