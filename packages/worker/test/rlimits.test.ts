/** Bounds of the operating system, as real processes meet them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { limitsPrefix } from '../src/executors/rlimits.js';
import { command, node, run } from './fixtures/executions.js';

describe('limits', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [means, searchPath] of [['prlimit', process.env.PATH ?? ''], ['a shell', '/no/such/folder']] as const) {
    it(`are set by ${means}`, async () => {
      const prefix = await limitsPrefix({ memoryMib: 512, cpuSeconds: 60, openFiles: 64, processes: 1_000, fileMib: 3 }, searchPath);
      expect(/prlimit$/.test(prefix[0] ?? '')).to.equal(means === 'prlimit');
      const [program = '', ...args] = prefix;
      const { stdout } = await promisify(execFile)(program, [...args, 'cat', '/proc/self/limits']);
      for (const [name, value] of [['Max data size', 512 * 1024 * 1024], ['Max cpu time', 60], ['Max open files', 64], ['Max processes', 1_000], ['Max file size', 3 * 1024 * 1024]]) {
        expect(stdout).to.match(new RegExp(`^${String(name)} +${String(value)} +${String(value)} `, 'm'));
      }
    });
  }

  it('are none where none are asked for', async () => {
    expect(await limitsPrefix({})).to.deep.equal([]);
  });

  it('end what takes too much memory or time, or writes too much, and nothing else', async () => {
    const holding = (bytes: number) => command(['sh', '-c', `text=$(head -c ${bytes} /dev/zero | tr '\\0' x) && test \${#text} = ${bytes}`], { limits: { memoryMib: 100 } });
    expect((await run(holding(200_000_000))).execution.kind).to.equal('failed');
    expect((await run(holding(1_000_000))).execution.kind).to.equal('completed');
    expect((await run(node('for (;;);', { limits: { cpuSeconds: 1 } }))).execution.kind).to.equal('failed');
    expect((await run(command(['sh', '-c', 'head -c 2000000 /dev/zero > file'], { limits: { fileMib: 1 } }))).execution.kind).to.equal('failed');
  });
});
