/** Logs, files and progress of a task whose worker the test is: what a task writes does not reach the terminal as it is. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startSystem, type System } from './support/processes.js';

const EVIL = '\u001b]0;title\u0007\u001b[2Jgone\u009b31m\u202e';
const SAFE = '\\u001b]0;title\\u0007\\u001b[2Jgone\\u009b31m\\u202e';

describe('what a task leaves, on the command line', function () {
  this.timeout(240_000);
  let system: System;
  let worker: string;

  before(async () => {
    system = await startSystem({ NUM_INTERNAL_WORKERS: '0' });
    const registered = await system.call('POST', '/api/v1/workers/register', { backend_type: 'kind', metadata: { note: EVIL } });
    worker = `/api/v1/workers/${registered.body.id as string}`;
  });

  after(() => system.stop());

  /** The id of a task that the worker of this test runs. */
  async function claimed(): Promise<string> {
    const { body } = await system.call('POST', '/api/v1/tasks', { problem_id: 'test-a', name: EVIL });
    expect((await system.call('POST', `${worker}/claim`)).body.id).to.equal(body.id);
    return body.id as string;
  }

  const report = async (id: string, verb: string, body: unknown): Promise<void> => {
    expect((await system.call('POST', `${worker}/tasks/${id}/${verb}`, body)).status, verb).to.be.below(300);
  };

  const store = async (id: string, name: string, bytes: Buffer): Promise<string> => {
    const query = new URLSearchParams({ name, content_type: 'text/plain' }).toString();
    const answer = await fetch(`${system.url}${worker}/tasks/${id}/artifacts?${query}`, {
      method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(bytes),
    });
    expect(answer.status).to.equal(201);
    return ((await answer.json()) as { id: string }).id;
  };

  it('shows escapes safe, everywhere; only --raw does not', async () => {
    const id = await claimed();
    await report(id, 'logs', {
      offset: 0, entries: [{ message: EVIL, context: { [EVIL]: EVIL } }, { level: 'error', message: `two\n${EVIL}` }],
    });
    await report(id, 'fail', { error: EVIL });
    const [logs, json, raw, get, list, show] = await Promise.all([
      ['logs', id], ['logs', id, '--json'], ['logs', id, '--raw'], ['get', id], ['list'], ['worker', 'show', worker.split('/').at(-1)!],
    ].map((args) => system.run(args)));
    for (const { stdout } of [logs!, json!, get!, list!, show!]) {
      expect(stdout).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(stdout).to.contain('\\u202e');
    }
    expect(logs!.stdout).to.contain(` ${SAFE} {`).and.match(new RegExp(`two\\n {22}${SAFE.replaceAll(/[\\[\]]/g, '\\$&')}\n`));
    expect(json!.lines).to.deep.equal((await system.call('GET', `/api/v1/tasks/${id}/logs`)).body.logs);
    expect(raw!.stdout).to.equal(`${EVIL}\ntwo\n${EVIL}\n`);
  });

  it('reads the lines of a level and of an attempt, over pages', async () => {
    const id = await claimed();
    const entries = Array.from({ length: 1_000 }, (_, n) => ({ message: `line ${n}`, level: n % 10 === 0 ? 'warning' : 'info' }));
    await report(id, 'logs', { offset: 0, entries });
    await report(id, 'logs', { offset: 1_000, entries: [{ message: 'the last' }] });
    await report(id, 'complete', {});
    const [all, some, none] = await Promise.all([['--raw'], ['--level', 'warning', '--json'], ['--attempt', '2']].map((args) =>
      system.run(['logs', id, ...args])));
    expect(all!.stdout).to.match(/^line 0\nline 1\n.*\nline 999\nthe last\n$/s);
    expect(some!.lines).to.have.length(100);
    expect(none).to.include({ code: 0, stdout: '' });
  });

  it('follows lines as they come, to the end of the task, also where the API goes away meanwhile', async () => {
    const id = await claimed();
    const cli = system.start(['logs', '-f', id]);
    const json = system.start(['logs', '-f', id, '--json', '--attempt', '1']);
    await report(id, 'logs', { offset: 0, entries: [{ message: 'one' }] });
    await Promise.all([cli.said('one'), json.said('one')]);
    await report(id, 'progress', { step: 1, total: 2, message: EVIL });
    await system.killApi();
    await system.restartApi();
    await report(id, 'logs', { offset: 1, entries: [{ message: 'two' }] });
    await Promise.all([cli.said('two'), json.said('two')]);
    await report(id, 'fail', { error: 'it broke' });
    const [run, other] = await Promise.all([cli.ended, json.ended]);
    expect(run.code).to.equal(1);
    expect(run.stdout).to.match(/^[^\n]* one\n[^\n]* two\n$/);
    expect(run.stderr).to.equal(`${id} is failed: it broke\n`);
    expect(other.lines.map(({ message }) => message as string)).to.deep.equal(['one', 'two']);
    expect((await system.run(['get', id])).stdout).to.contain('step 1 of 2, \\u001b]0;title');
  });

  it('lists files and downloads them, and goes on with a part', async () => {
    const id = await claimed();
    const large = Buffer.alloc(3 * 1024 * 1024, 'abcdefg');
    const largeId = await store(id, 'traces/one.bin', large);
    await store(id, 'report.txt', Buffer.from('hello'));
    await report(id, 'complete', {});
    const list = await system.run(['artifacts', 'list', id]);
    expect(list.stdout).to.match(/NAME +SIZE .*\ntraces\/one.bin +3.0 MiB +text\/plain +1 .*\nreport.txt +5 B /);
    const listed = await system.run(['artifacts', 'list', id, '--json']);
    expect(listed.lines.map(({ name }) => name as string)).to.deep.equal(['traces/one.bin', 'report.txt']);

    const folder = join(system.folder, 'out');
    await mkdir(join(folder, 'traces'), { recursive: true });
    await writeFile(join(folder, 'traces', `.${largeId}.part`), large.subarray(0, 1_000_000));
    const got = await system.run(['artifacts', 'get', id, '-d', folder]);
    expect(got).to.include({ code: 0, stdout: `${join(folder, 'traces/one.bin')}\n${join(folder, 'report.txt')}\n` });
    expect(await readFile(join(folder, 'traces/one.bin'))).to.deep.equal(large);
    expect(await readFile(join(folder, 'report.txt'), 'utf8')).to.equal('hello');

    await writeFile(join(folder, 'traces', `.${largeId}.part`), 'wrong');
    const wrong = await system.run(['artifacts', 'get', id, 'traces/one.bin', '-d', folder]);
    expect(wrong.code).to.equal(6);
    expect(wrong.stderr).to.contain('SHA-256');
    const again = await system.run(['artifacts', 'get', id, 'traces/one.bin', '-d', folder, '--json']);
    const sha256 = createHash('sha256').update(large).digest('hex');
    expect(again.lines[0]).to.deep.include({ id: largeId, sha256, path: join(folder, 'traces/one.bin') });
    expect((await system.run(['artifacts', 'get', id, 'report.txt', '--stdout'])).stdout).to.equal('hello');
    expect((await system.run(['artifacts', 'get', id, 'none'])).code).to.equal(3);
    expect((await system.run(['artifacts', 'get', id, '--stdout'])).code).to.equal(2);
  });

  it('downloads all files that there is a place for, and says which had none', async () => {
    const id = await claimed();
    const folder = join(system.folder, 'places');
    await mkdir(join(folder, 'case'), { recursive: true });
    // As a file system does that does not tell upper case from lower.
    await symlink('case', join(folder, 'CASE'));
    const longest = 'x'.repeat(255);
    const tooLong = 'é'.repeat(250);
    const names = ['p', 'p/q', 'p/q/r', 'f/g', 'f', 'case/a', 'CASE/a', tooLong, longest, 'last'];
    const ids = new Map<string, string>();
    for (const name of names) ids.set(name, await store(id, name, Buffer.from(`this is ${name}`)));
    await report(id, 'complete', {});
    const stored = ['p', 'f/g', 'case/a', longest, 'last'];
    for (const round of ['first', 'second']) {
      const got = await system.run(['artifacts', 'get', id, '-d', folder]);
      expect(got.code, round).to.equal(74);
      expect(got.stdout, round).to.equal(stored.map((name) => `${join(folder, name)}\n`).join(''));
      for (const name of stored) expect(await readFile(join(folder, name), 'utf8')).to.equal(`this is ${name}`);
      for (const name of names.filter((one) => !stored.includes(one))) {
        expect(got.stderr, round).to.contain(`${name} was not stored: `).and.contain(`artifacts get ${id} ${ids.get(name)!} --stdout`);
      }
    }
    const there = await Promise.all(['', 'f', 'case'].map(async (one) => (await readdir(join(folder, one))).sort()));
    expect(there).to.deep.equal([['CASE', 'case', 'f', 'last', 'p', longest], ['g'], ['a']]);
    expect((await system.run(['artifacts', 'get', id, ids.get('CASE/a')!, '--stdout'])).stdout).to.equal('this is CASE/a');
  });
});
