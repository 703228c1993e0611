/**
 * Many tasks: a file of 10,000 that is submitted once whatever happens meanwhile, exports that hold each task once, readers that go
 * away.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startMeddler } from './support/meddler.js';
import { startSystem, type Cli, type Run, type System } from './support/processes.js';

const LINES = 10_000;

describe('many tasks on the command line', function () {
  this.timeout(240_000);
  let system: System;
  let file: string;

  before(async () => {
    system = await startSystem({ NUM_INTERNAL_WORKERS: '0' });
    file = join(system.folder, 'sweep.jsonl');
    await writeFile(file, Array.from({ length: LINES }, (_, i) => `{"problem_id":"test-sweep","parameters":{"seed":${i}}}\n`).join(''));
  });

  after(() => system.stop());

  const total = async (): Promise<number> => (await system.call('GET', '/api/v1/tasks/stats')).body.total_tasks;

  /** Starts the batch, and resolves when it has submitted something; nothing more is read of it, so that it cannot end. */
  async function begun(): Promise<Cli> {
    const cli = system.start(['batch', file, '--json']);
    await cli.said('{"line":1,');
    cli.child.stdout?.pause();
    return cli;
  }

  it('submits a file once, whether it is killed, interrupted, or the API goes away', async () => {
    const killed = await begun();
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    const afterKill = await total();
    expect(afterKill).to.be.within(1_000, LINES - 1_000);

    const interrupted = await begun();
    interrupted.child.kill('SIGINT');
    interrupted.child.stdout?.resume();
    const stopped = await interrupted.ended;
    expect(stopped.code).to.equal(130);
    expect(stopped.stderr).to.match(/Submitted [\d,]+ of 10,000 tasks\. Run the same command again to go on: nothing is submitted twice\./);
    expect(await total()).to.be.within(afterKill, LINES - 1_000);

    const surviving = await begun();
    await system.killApi();
    await system.restartApi();
    surviving.child.stdout?.resume();
    const run = await surviving.ended;
    expect(run.code).to.equal(0);
    expect(run.stderr).to.match(/10,000 tasks: [\d,]+ new, [\d,]+ submitted before/);
    expect(run.lines.map(({ line }) => line as number)).to.deep.equal(Array.from({ length: LINES }, (_, n) => n + 1));
    expect(new Set(run.lines.map(({ id }) => id as string)).size).to.equal(LINES);
    expect(await total()).to.equal(LINES);
    expect((await system.run(['batch', file])).stdout).to.match(/^10,000 tasks: 0 new, 10,000 submitted before \(batch [0-9a-f]{32}\)\.\n$/);
    expect(await total()).to.equal(LINES);
  });

  it('goes on after a line was refused and corrected, and says when a submitted line was changed', async () => {
    const mixed = join(system.folder, 'mixed.jsonl');
    const lines = Array.from({ length: 1_500 }, (_, i) => `{"problem_id":"test-mixed","parameters":{"seed":${i}}}`);
    await writeFile(mixed, [...lines.slice(0, 1_200), '{"problem_id":"not good"}', ...lines.slice(1_200)].join('\n'));
    const refused = await system.run(['batch', mixed, '--batch-id', 'mixed-1']);
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.contain('Lines 1,001 to 1,501 of').and.contain('1,000 tasks before them are submitted')
      .and.contain('Line 1201 /problem_id: ').and.contain('--batch-id mixed-1');
    await writeFile(mixed, [...lines.slice(0, 1_200), '{"problem_id":"test-good"}', ...lines.slice(1_200)].join('\n'));
    expect((await system.run(['batch', mixed, '--batch-id', 'mixed-1'])).stdout).to.contain('1,501 tasks: 501 new, 1,000 submitted before');
    await writeFile(mixed, ['{"problem_id":"test-other"}', ...lines.slice(1)].join('\n'));
    const changed = await system.run(['batch', mixed, '--batch-id', 'mixed-1']);
    expect(changed.code).to.equal(2);
    expect(changed.stderr).to.contain('with another content');
  });

  it('names the line that is refused, also where the API does not', async () => {
    const file = join(system.folder, 'deep.jsonl');
    const lines = Array.from({ length: 1_000 }, (_, n) => `{"problem_id":"test-deep","parameters":{"seed":${n}}}`);
    const missing = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
    const mistakes = [
      ['{"problem_id":"test-deep","parameters":{"x":"\\ud800"}}', 'a lone surrogate', '700 of'],
      [`{"problem_id":"test-deep","depends_on":["${missing}"]}`, missing, '700 of'],
      ['{"problem_id":"test-deep","labels":["x"]}', '/labels: ', '700'],
    ] as const;
    for (const [line, why, where] of mistakes) {
      await writeFile(file, lines.with(699, line).join('\n'));
      const refused = await system.run(['batch', file, '--batch-id', 'deep', '--label', 'a=b']);
      expect(refused.code, line).to.equal(2);
      expect(refused.stderr, line).to.contain(`Line ${where}`).and.contain(why)
        .and.contain('When this is corrected, go on with --batch-id deep');
    }
    await writeFile(file, lines.join('\n'));
    const run = await system.run(['batch', file, '--batch-id', 'deep', '--label', 'a=b']);
    expect(run.stdout).to.contain('1,000 tasks: 301 new, 699 submitted before');
  });

  it('submits what comes through a pipe, which gives it once', async () => {
    const pipe = join(system.folder, 'pipe');
    await promisify(execFile)('mkfifo', [pipe]);
    const lines = Array.from({ length: 1_200 }, (_, n) => `{"problem_id":"test-pipe","parameters":{"seed":${n}}}\n`).join('');
    for (const [path, submitted] of [[pipe, '1,200 new, 0'], ['/dev/stdin', '0 new, 1,200']] as const) {
      const cli = system.start(['batch', path], { input: lines });
      if (path === pipe) await writeFile(pipe, lines);
      const run = await cli.ended;
      expect(run.stdout, run.stderr).to.contain(`1,200 tasks: ${submitted} submitted before`);
    }
    expect((await system.run(['batch', system.folder])).stderr).to.contain('is neither a file nor a pipe');

    const silent = system.start(['batch', pipe]);
    // Opens once there is somebody who reads.
    const writer = await open(pipe, 'w');
    silent.child.kill('SIGINT');
    expect((await silent.ended).code).to.equal(130);
    await writer.close();
  });

  it('submits once where the answer was lost', async () => {
    for (const args of [['submit', 'test-lost'], ['batch', '-']]) {
      const before = await total();
      const meddler = await startMeddler(system.url, { connections: 2, bytes: 1 });
      const run = await system.run([...args, '--retry-for', '1m'], {
        env: { TASK_EXECUTOR_URL: meddler.url }, input: '{"problem_id":"test-lost"}\n',
      });
      expect(run.code, run.stderr).to.equal(0);
      expect(meddler.cuts).to.equal(2);
      expect(await total()).to.equal(before + 1);
      await meddler.stop();
    }
  });

  it('says how to go on where the answer was lost and nobody waits for another: nothing is done twice', async () => {
    /** Loses the first answer, and does what the hint says; what came of it. */
    const twice = async (args: string[], input = ''): Promise<Run> => {
      const meddler = await startMeddler(system.url, { connections: 1, bytes: 1 });
      const once = [...args.filter((one) => one !== '--json'), '--retry-for', '0'];
      const lost = await system.run(once, { env: { TASK_EXECUTOR_URL: meddler.url }, input });
      await meddler.stop();
      expect(lost.code, args.join(' ')).to.equal(5);
      const hint = /is not known\. The same command with the same key does not do it twice: (.*--idempotency-key \S+)\n$/;
      const [, more = ''] = hint.exec(lost.stderr) ?? [];
      expect(more, lost.stderr).to.not.equal('');
      return system.run([...args, ...more.split(' ')], { input });
    };
    const lines = async (...args: string[]): Promise<number> => (await system.run([...args, '--json'])).lines.length;
    const ids: string[] = [];
    for (const label of ['lost=1', 'lost=1']) ids.push((await system.run(['submit', 'test-lost', '-l', label])).stdout.trim());

    // Begun twice, the second would have found nothing to cancel.
    expect((await twice(['cancel', '-l', 'lost=1', '--since', '1h', '--yes', '--json'])).json).to.include({ state: 'done', changed: 2 });
    const before = await total();
    const retried = await twice(['retry', '-l', 'lost=1', '--status', 'cancelled', '--since', '1h', '--yes', '--json']);
    expect(retried.json).to.include({ state: 'done', changed: 2 });
    expect(await total()).to.equal(before + 2);
    expect((await twice(['retry', ids[0]!])).code).to.equal(0);
    expect(await total()).to.equal(before + 3);
    expect((await twice(['retry', ...ids, '--json'])).lines.map((task) => task.retry_of as string)).to.deep.equal(ids);
    expect(await total()).to.equal(before + 5);
    const workflow = await twice(['workflow', 'submit', '-', '--json'], '{"tasks":[{"name":"a","problem_id":"test-lost"}]}');
    await system.run(['workflow', 'cancel', workflow.json.id]);
    expect((await twice(['workflow', 'retry', workflow.json.id, '--json'])).json.retry_of).to.equal(workflow.json.id);
    expect(await total()).to.equal(before + 7);
    expect((await twice(['submit', 'test-lost'])).code).to.equal(0);
    expect(await total()).to.equal(before + 8);
    expect((await twice(['schedule', 'create', 'test-lost', '--cron', '0 2 * * *'])).code).to.equal(0);
    expect(await lines('schedule', 'list')).to.equal(1);
    expect((await twice(['limit', 'create', 'label:lost', '--max-running', '3'])).code).to.equal(0);
    expect(await lines('limit', 'list')).to.equal(1);
  });

  it('cancels once where the answer was lost', async () => {
    const id = (await system.run(['submit', 'test-lost'])).stdout.trim();
    const meddler = await startMeddler(system.url, { connections: 1, bytes: 1 });
    const run = await system.run(['cancel', id, '--retry-for', '1m'], { env: { TASK_EXECUTOR_URL: meddler.url } });
    expect(run).to.include({ code: 0, stdout: `${id}\n` });
    await meddler.stop();
    const another = await startMeddler(system.url, { connections: 1, bytes: 1 });
    const lost = await system.run(['cancel', id, '--retry-for', '0'], { env: { TASK_EXECUTOR_URL: another.url } });
    await another.stop();
    expect(lost.code).to.equal(5);
    expect(lost.stderr).to.contain('The same command again changes nothing');
  });

  it('exports every task once into a file, however often it is broken off', async () => {
    const output = join(system.folder, 'tasks.jsonl');
    const meddler = await startMeddler(system.url, { connections: 3, bytes: 1_000_000 });
    const run = await system.run(['export', '--problem', 'test-sweep', '-o', output, '--include', 'attempts,logs'], {
      env: { TASK_EXECUTOR_URL: meddler.url },
    });
    expect(run.code, run.stderr).to.equal(0);
    expect(meddler.cuts).to.equal(3);
    await meddler.stop();
    await expectSweep(output);

    // Killed within a line, and gone on with.
    const whole = await readFile(output);
    await writeFile(output, whole.subarray(0, Math.floor(whole.length / 3)));
    expect((await system.run(['export', '--problem', 'test-sweep', '-o', output])).code).to.equal(0);
    expect(await readFile(output)).to.deep.equal(whole);
    await writeFile(output, 'not an export\n');
    expect((await system.run(['export', '-o', output])).code).to.equal(2);
    expect(await readFile(output, 'utf8')).to.equal('not an export\n');
  });

  it('exports to what is no file, and to stdout by its short name', async () => {
    const args = ['export', '--problem', 'test-sweep', '--limit', '3'];
    expect(await system.run([...args, '-o', '/dev/null'])).to.include({ code: 0, stderr: 'Exported 3 tasks.\n' });
    expect((await system.run([...args, '-o', '-'])).lines).to.have.length(3);
  });

  it('exports to stdout, and goes on from a cursor file', async () => {
    const cursor = join(system.folder, 'cursor');
    const first = await system.run(['export', '--problem', 'test-sweep', '--limit', '4000', '--cursor-file', cursor]);
    const meddler = await startMeddler(system.url, { connections: 2, bytes: 700_000 });
    const second = await system.run(['export', '--problem', 'test-sweep', '--cursor-file', cursor], {
      env: { TASK_EXECUTOR_URL: meddler.url },
    });
    expect(meddler.cuts).to.equal(2);
    await meddler.stop();
    expect([first.code, second.code]).to.deep.equal([0, 0]);
    const output = join(system.folder, 'stdout.jsonl');
    await writeFile(output, first.stdout + second.stdout);
    await expectSweep(output);
    expect((await system.run(['export', '--problem', 'test-sweep', '--cursor-file', cursor])).stdout).to.equal('');
  });

  it('adds to an export what has ended since, however early it was submitted', async () => {
    const output = join(system.folder, 'ended.jsonl');
    const submitted = await system.run(['batch', '-', '-q'], { input: '{"problem_id":"test-ended"}\n'.repeat(2) });
    const [slow = '', quick = ''] = submitted.stdout.trim().split('\n');
    const args = ['export', '--problem', 'test-ended', '--status', 'completed,cancelled', '-o', output];
    const exported = async (): Promise<string[]> => {
      const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => (JSON.parse(line) as { task: { id: string } }).task.id);
    };
    const exportUntil = async (count: number): Promise<string[]> => {
      // What has ended just now may be too new.
      for (;;) {
        expect(await system.run(args)).to.include({ code: 0 });
        const ids = await exported();
        if (ids.length >= count) return ids;
      }
    };
    await system.run(['cancel', quick]);
    expect(await exportUntil(1)).to.deep.equal([quick]);
    await system.run(['cancel', slow]);
    expect(await exportUntil(2)).to.deep.equal([quick, slow]);
    expect((await system.run(args)).stderr).to.contain('Exported 0 tasks.');

    const refused = await system.run(['export', '--problem', 'test-ended', '-o', output]);
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.contain('in the order in which they ended').and.contain('begin without it');
    expect(await exported()).to.deep.equal([quick, slow]);
  });

  async function expectSweep(path: string): Promise<void> {
    const seeds = (await readFile(path, 'utf8')).trim().split('\n').map((line) => JSON.parse(line).task.parameters.seed as number);
    expect(seeds).to.deep.equal(Array.from({ length: LINES }, (_, n) => n));
  }

  it('ends quietly when the reader of its output has gone', async () => {
    for (const args of [['list', '--limit', '10000', '--json'], ['export'], ['list', '-q', '-n', '10000']]) {
      const cli = system.start(args);
      await once(cli.child.stdout!, 'data');
      cli.child.stdout!.destroy();
      const run = await cli.ended;
      expect(run.code, args.join(' ')).to.equal(141);
      expect(run.stderr, args.join(' ')).to.equal('');
    }
  });

  it('says that its output cannot be written, and does not pass for a task that failed', async function () {
    const full = await open('/dev/full', 'w').catch(() => null);
    if (full === null) this.skip();
    for (const [args, said] of [
      [['list', '-q'], /^The output cannot be written: ENOSPC/],
      [['export', '--json'], /^\{"error":\{"exit_code":74,.*ENOSPC/],
      [['completion', 'bash'], /^The output cannot be written: ENOSPC/],
      [['--help'], /^$/],
    ] as const) {
      const run = await system.run(args, { stdout: full.fd });
      expect(run.code, args.join(' ')).to.equal(74);
      expect(run.stderr, args.join(' ')).to.match(said);
    }
    await full.close();
  });
});
