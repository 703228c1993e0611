/** A worker and the command line behind a proxy that wants a header of every call. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startGate, type Gate } from './support/gate.js';
import { startSystem, type System } from './support/processes.js';

const WORKER = fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url));
const SECRET = 'Bearer s3cret, with a comma';
const LINE = `Authorization: ${SECRET}`;

/** Writes what it has of the environment, and a file, and ends when there is a file `go`. */
const COMMAND = `
const { existsSync, writeFileSync } = require('node:fs');
console.log('step one of', JSON.stringify(process.env));
writeFileSync(process.env.TASK_ARTIFACTS_DIR + '/report.txt', 'all is well');
const waiting = setInterval(() => existsSync(process.argv[1]) && clearInterval(waiting), 20);
`;

const CALLS = [
  /\/register$/, /\/heartbeat$/, /\/claim(-batch)?$/, /\/logs$/, /^PUT .*\/artifacts$/, /\/(complete|report)$/, /\/events$/, /^GET .*\/artifacts\//,
];

describe('headers for what stands before the API', function () {
  this.timeout(120_000);
  let system: System;
  let gate: Gate;
  let worker: ChildProcess | null = null;
  let said = '';

  before(async () => {
    system = await startSystem({ NUM_INTERNAL_WORKERS: '0', HEARTBEAT_INTERVAL_SECONDS: '0.5' });
    gate = await startGate(system.url, ['authorization', SECRET]);
    const catalog = { problems: [{ match: 'test-*', command: [process.execPath, '-e', COMMAND, join(system.folder, 'go')], env: ['API_HEADERS'] }] };
    await writeFile(join(system.folder, 'catalog.yaml'), JSON.stringify(catalog));
  });

  afterEach(async () => {
    if (worker === null) return;
    const ended = once(worker, 'exit');
    worker.kill('SIGKILL');
    await ended;
    worker = null;
  });

  after(async () => {
    await gate.stop();
    await system.stop();
  });

  function startWorker(args: readonly string[], environment: Record<string, string>): void {
    worker = spawn(process.execPath, [WORKER, 'start', '--catalog', join(system.folder, 'catalog.yaml'), '--log-level', 'trace', ...args], {
      env: { PATH: process.env['PATH'], API_URL: gate.url, SPOOL_DIR: join(system.folder, 'spool'), ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    said = '';
    for (const stream of [worker.stdout, worker.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
  }

  /** Submits a task through the gate, follows it, and downloads its file. */
  async function runTask(args: readonly string[], env: Record<string, string>): Promise<void> {
    const [passedBefore, refusedBefore] = [gate.passed.length, gate.refused.length];
    await rm(join(system.folder, 'go'), { force: true });
    const options = { env: { TASK_EXECUTOR_URL: gate.url, ...env } };
    const follower = system.start(['submit', 'test-a', '--follow', ...args], options);
    await follower.said('step one of');
    await gate.untilPassed(/\/heartbeat$/);
    await writeFile(join(system.folder, 'go'), '');
    const run = await follower.ended;
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout).to.contain('step one of').and.not.contain('s3cret').and.not.contain('API_HEADERS');
    const [, id = ''] = /([0-9a-f]{8}-[0-9a-f-]{27})/.exec(run.stdout + run.stderr) ?? [];
    const got = await system.run(['artifacts', 'get', id, 'report.txt', '--stdout', ...args], options);
    expect(got).to.deep.include({ code: 0, stdout: 'all is well' });
    expect(gate.refused.length).to.equal(refusedBefore);
    const passed = gate.passed.slice(passedBefore);
    for (const call of CALLS) expect(passed.some((one) => call.test(one)), String(call)).to.equal(true);
    expect(said).to.contain('attempt_started').and.not.contain('s3cret');
  }

  it('are sent with every call, from the environment, and come to no command', async () => {
    startWorker([], { API_HEADERS: `X-Team: red\n${LINE}` });
    await runTask([], { API_HEADERS: `${LINE}\nX-Team: red` });
  });

  it('are sent with every call, from the command line, which wins', async () => {
    startWorker(['--header', 'X-Team: red', '--header', LINE], { API_HEADERS: 'Authorization: another' });
    await runTask(['--header', LINE, '--header', 'X-Team: red'], { API_HEADERS: 'not a header' });
  });

  it('are sent with every call, from the configuration file of the worker', async () => {
    await writeFile(join(system.folder, 'worker.yaml'), `header:\n  - '${LINE}'\n  - 'X-Team: red'\n`);
    startWorker(['--config', join(system.folder, 'worker.yaml')], {});
    await runTask(['--header', LINE], {});
  });

  it('are missed where they are needed, and checked at start, without a word of their values', async () => {
    const env = { TASK_EXECUTOR_URL: gate.url };
    const without = await system.run(['list', '--retry-for', '0'], { env });
    expect(without.code).to.equal(6);
    expect(without.stderr).to.contain('401').and.contain('--header');
    for (const [args, more, from] of [[['--header', 's3cret'], {}, '--header'], [[], { API_HEADERS: 'Host: s3cret' }, 'API_HEADERS']] as const) {
      const wrong = await system.run(['list', ...args], { env: { ...env, ...more } });
      expect(wrong.code).to.equal(2);
      expect(wrong.stderr).to.match(new RegExp(`^${from}: header 1 must`)).and.not.contain('s3cret');
    }
    const config = await system.run(['config', '--header', LINE], { env });
    expect(config.stdout + config.stderr).to.contain(gate.url).and.not.contain('s3cret');

    startWorker(['--header', 'Task-Attempt: s3cret', '--header', 's3cret'], {});
    if (worker !== null) expect((await once(worker, 'close'))[0]).to.equal(2);
    worker = null;
    expect(said).to.contain('API_HEADERS (--header): header 1 must not be Task-Attempt').and.contain('header 2 must be').and.not.contain('s3cret');
  });
});
