/**
 * Commands tied to the worker's life, as real processes. Each of them holds a connection to the test: that it ends is how
 * the test learns of their death, because their process ids are those of another namespace.
 */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { containment } from '../src/executors/containment.js';
import { errorOf, node, run as runExecutor, command } from './fixtures/executions.js';

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

  async function run(code: string, { stop = new AbortController(), graceMs = 60_000 } = {}) {
    const { execution, lines } = await runExecutor(node(code, { contained: true, graceMs }), {}, undefined, stop);
    return { lines: lines.map((line) => line.message), error: errorOf(execution) };
  }

  it('ends a command and all its descendants with the worker, also by kill -9', async () => {
    const worker = spawn(process.execPath, ['--import', 'tsx', new URL('fixtures/contained-worker.ts', import.meta.url).pathname, 'contained', process.execPath, '-e', family()], { stdio: 'ignore' });
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
    const running = run(`require('net').connect(${port}, '127.0.0.1').on('error', () => {}); setInterval(() => {}, 1000);`, { stop });
    const sockets = await connections(1);
    stop.abort();
    expect((await running).error).to.match(/ended by SIGTERM/);
    await closed(sockets);
  });

  it('kills what ignores TERM after the grace', async () => {
    const stop = new AbortController();
    const running = run(family(), { stop, graceMs: 100 });
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
    const { execution } = await runExecutor(command(['no-such-program-here'], { contained: true }));
    expect(execution).to.deep.equal({ kind: 'unfit', reason: 'the command no-such-program-here could not be started: no such program can be run' });
  });
});
