/**
 * Commands tied to the worker's life, as real processes. Each of them holds a connection to the test: that it ends is how
 * the test learns of their death, because their process ids are those of another namespace.
 */
import { spawn, type ChildProcess } from 'node:child_process';
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

  /** Code that connects and stays, and first starts another of its kind in a process group of its own. Told anything, the first exits. */
  const family = (): string => `
    const stay = (told) => "process.on('SIGTERM', () => {}); require('net').connect(${port}, '127.0.0.1').on('error', () => {}).on('close', () => process.exit()).on('data', () => {" + told + "})";
    require('child_process').spawn(process.execPath, ['-e', stay('')], { detached: true, stdio: 'ignore' }).unref();
    eval(stay('process.exit(7)'));`;

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

  /** A process that runs such commands, and their connections. */
  async function workerWith(commands: readonly Record<string, unknown>[], count: number): Promise<{ worker: ChildProcess; sockets: Socket[] }> {
    const catalog = JSON.stringify({ problems: commands.map((command) => ({ match: '*', ...command })) });
    const worker = spawn(process.execPath, ['--import', 'tsx', new URL('fixtures/killed-worker.ts', import.meta.url).pathname, catalog], { stdio: 'ignore' });
    return { worker, sockets: await connections(count) };
  }

  it('ends all commands and all their descendants with the worker, also by kill -9', async () => {
    const command = { command: [process.execPath, '-e', family()] };
    const { worker, sockets } = await workerWith([command, command, command], 6);
    worker.kill('SIGKILL');
    await closed(sockets);
  });

  it('ends those that no namespace holds, as far as they stayed in their group', async () => {
    const stay = family().replace('detached: true', 'detached: false');
    const { worker, sockets } = await workerWith([{ command: [process.execPath, '-e', stay], contained: false }], 2);
    worker.kill('SIGKILL');
    await closed(sockets);
  });

  it('leaves no descendant behind when the command ends', async () => {
    const running = run(family());
    const sockets = await connections(2);
    for (const socket of sockets) socket.write('end');
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

  for (const contained of [true, false]) {
    it(`leaves the grace to those that the command waited for, too (contained: ${contained})`, async () => {
      const stop = new AbortController();
      const child = `const socket = require('net').connect(${port}, '127.0.0.1'); process.on('SIGTERM', () => socket.write('told')); socket.on('data', () => { console.log('saved'); process.exit(); })`;
      const running = runExecutor(command(['sh', '-c', '"$0" -e "$1"; true', process.execPath, child], { contained, graceMs: 60_000 }), {}, undefined, stop);
      const [socket] = await connections(1);
      const told = once(socket!, 'data');
      stop.abort();
      await told;
      socket!.write('go on');
      const { execution, lines } = await running;
      expect(errorOf(execution)).to.match(/ended by SIGTERM/);
      expect(lines.map(({ message }) => message)).to.deep.equal(['saved']);
    });
  }

  for (const contained of [true, false]) {
    it(`says how a command ended that leaves what ignores TERM (contained: ${contained})`, async () => {
      const stop = new AbortController();
      const child = `process.on('SIGTERM', () => {}); require('net').connect(${port}, '127.0.0.1').on('error', () => {})`;
      const code = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'ignore' }); process.on('SIGTERM', () => process.exit(7));`;
      const running = runExecutor(node(code, { contained, graceMs: 300 }), {}, undefined, stop);
      const sockets = await connections(1);
      stop.abort();
      expect(errorOf((await running).execution)).to.equal('the command exited with code 7');
      await closed(sockets);
    });
  }

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
