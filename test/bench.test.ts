/**
 * The benchmark works: every scenario runs with tiny numbers and leaves nothing behind, nor does one that is broken off. What it
 * measures here means nothing and is not looked at.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Found {
  readonly machine: { readonly cores: number };
  readonly scenarios: readonly {
    readonly name: string;
    readonly rows: readonly { readonly who: string; readonly median: number }[];
    readonly targets: readonly { readonly text: string; readonly met: boolean | null }[];
  }[];
}

describe('the benchmark', function () {
  this.timeout(600_000);
  let folder: string;
  const children: ChildProcess[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-bench-test-'));
  });

  after(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts it with its temporary files in `scratch`; what it prints is kept in `said`. */
  function start(scratch: string, args: readonly string[]): { child: ChildProcess; said: string[]; lines: NodeJS.EventEmitter } {
    const child = spawn(process.execPath, ['bench/main.mjs', '--smoke', ...args], {
      cwd: root, stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATABASE_URL: process.env['TEST_DATABASE_URL'], TMPDIR: scratch },
    });
    children.push(child);
    if (child.stdout === null || child.stderr === null) throw new Error('the output is not piped');
    const said: string[] = [];
    child.stdout.on('data', (chunk) => said.push(String(chunk)));
    const lines = createInterface({ input: child.stderr });
    lines.on('line', (line) => said.push(`${line}\n`));
    return { child, said, lines };
  }

  it('runs every scenario', async () => {
    const scratch = await mkdtemp(join(folder, 'all-'));
    const file = join(folder, 'found.json');
    const { child, said } = start(scratch, ['--json', file]);
    await once(child, 'close');
    expect(child.exitCode, said.join('')).to.equal(0);
    const found = JSON.parse(await readFile(file, 'utf8')) as Found;
    const files = await readdir(join(root, 'bench/scenarios'));
    expect(found.scenarios.map(({ name }) => `${name}.mjs`)).to.deep.equal(files.sort());
    expect(found.machine.cores).to.be.greaterThan(0);
    for (const { name, rows, targets } of found.scenarios) {
      expect(rows, name).to.not.be.empty;
      for (const { who, median } of rows) expect(median, `${name}: ${who}`).to.be.a('number').that.is.at.least(0);
      const unmeasured = targets.filter(({ met, text }) => met === null && !text.includes('other queue'));
      expect(unmeasured, name).to.deep.equal([]);
    }
    expect(await readdir(scratch)).to.deep.equal([]);
  });

  it('ends everything on Ctrl-C', async () => {
    const scratch = await mkdtemp(join(folder, 'stopped-'));
    const { child, said, lines } = start(scratch, ['--only', '02-bulk', '--seconds', '600']);
    await once(lines, 'line');
    // The API has its folder while it starts and runs.
    while ((await readdir(scratch)).length === 0) await sleep(20);
    child.kill('SIGINT');
    await once(child, 'close');
    expect(child.exitCode, said.join('')).to.equal(130);
    expect(await readdir(scratch)).to.deep.equal([]);
  });
});
