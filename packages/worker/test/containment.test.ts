/**
 * Commands tied to the worker's life, as real processes. Each of them holds a connection to the test: that it ends is how
 * the test learns of their death, because their process ids are those of another namespace.
 */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { commandExecutor, type CommandOptions } from '../src/executors/command.js';
import { containment } from '../src/executors/containment.js';
import type { Execution, Task } from '../src/executors/executor.js';

const TASK = { id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1, problem_id: 'x', parameters: {} } as unknown as Task;

describe('containment', () => {
  let server: Server;
  let port: number;
  before(async function () {
    if ((await containment()).length === 0) this.skip();
  });
  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    server.close();
  });

  /** Code that connects and stays, and first starts another of its kind in a process group of its own. */
  const family = (): string => `
    const stay = "process.on('SIGTERM', () => {}); require('net').connect(${port}, '127.0.0.1').on('error', () => {}).on('close', () => process.exit())";
    require('child_process').spawn(process.execPath, ['-e', stay], { detached: true, stdio: 'ignore' }).unref();
    eval(stay);`;

  async function connections(count: number): Promise<Socket[]> {
    const found: Socket[] = [];
    while (found.length < count) {
      const [socket] = (await once(server, 'connection')) as [Socket];
      socket.on('error', () => undefined).resume();
      found.push(socket);
    }
    return found;
  }

  const closed = async (sockets: Socket[]): Promise<void> => {
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  };

  async function run(code: string, { signal = new AbortController().signal, ...more }: Partial<CommandOptions> & { signal?: AbortSignal } = {}) {
    const lines: string[] = [];
    const executor = commandExecutor({ argv: [process.execPath, '-e', code], cwd: null, inherit: [], environment: {}, graceMs: 60_000, contained: true, ...more });
    const execution: Execution = await executor({ task: TASK, signal, log: (_level, message) => { lines.push(message); return Promise.resolve(); } });
    return { lines, error: execution.kind === 'failed' ? execution.error : null };
  }

  it('ends a command and all its descendants with the worker, also by kill -9', async () => {
    const worker = spawn(process.execPath, ['--import', 'tsx', new URL('fixtures/contained-worker.ts', import.meta.url).pathname, process.execPath, '-e', family()], { stdio: 'ignore' });
    const sockets = await connections(2);
    worker.kill('SIGKILL');
    await closed(sockets);
  });

  it('leaves no descendant behind when the command ends', async () => {
    const running = run(`${family()} process.stdin.on('data', () => {}); setTimeout(() => process.exit(7), 300);`);
    const sockets = await connections(2);
    expect((await running).error).to.equal('the command exited with code 7');
    await closed(sockets);
  });

  it('lets a command end at TERM by itself, without waiting for KILL', async () => {
    const stop = new AbortController();
    const running = run(`require('net').connect(${port}, '127.0.0.1').on('error', () => {}); setInterval(() => {}, 1000);`, { signal: stop.signal });
    const sockets = await connections(1);
    stop.abort();
    expect((await running).error).to.match(/ended by SIGTERM/);
    await closed(sockets);
  });

  it('kills what ignores TERM after the grace', async () => {
    const stop = new AbortController();
    const running = run(family(), { signal: stop.signal, graceMs: 100 });
    const sockets = await connections(2);
    stop.abort();
    expect((await running).error).to.match(/SIGKILL/);
    await closed(sockets);
  });

  it('adds nothing to what the command says, and quotes its last words', async () => {
    const { lines, error } = await run("console.log('out'); console.error('first'); console.error('last words'); process.kill(process.pid, 'SIGKILL')");
    expect(lines.sort()).to.deep.equal(['first', 'last words', 'out']);
    expect(error).to.match(/^the command was ended by SIGKILL \(code 137\): last words$/);
  });

  it('says which program is missing', async () => {
    expect((await run('', { argv: ['no-such-program-here'] })).error).to.match(/no-such-program-here could not be started/);
  });
});
