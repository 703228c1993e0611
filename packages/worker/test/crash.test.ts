/** A worker process that is killed while it tidies up after a task or stores its files, and the next one on its host. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program } from '../src/conformance/program.js';
import { ScriptedApi } from '../src/conformance/scripted-api.js';

const MAIN = new URL('../src/main.ts', import.meta.url).pathname;
const SCRIPT = 'echo a; echo b; cd "$TASK_ARTIFACTS_DIR"; for n in 1 2 3; do echo "file $n" > $n.txt; done; echo \'{"score": 7}\' > "$TASK_RESULT_FILE"';

describe('a worker that is killed before it has reported', function () {
  this.timeout(60_000);
  let folder: string;
  let api: ScriptedApi;
  let programs: Program[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crash-test-'));
    api = new ScriptedApi();
    await api.start();
    programs = [];
    await write({ match: 'test-*', command: ['sh', '-c', SCRIPT] });
  });
  afterEach(async () => {
    for (const program of programs) await program.kill();
    await api.stop();
    await rm(folder, { recursive: true });
  });

  const write = (entry: Record<string, unknown>) => writeFile(join(folder, 'catalog.json'), JSON.stringify({ scratch: { folder }, problems: [entry] }));

  async function start(): Promise<Program> {
    const program = new Program(
      [process.execPath, '--import', 'tsx', MAIN, 'start', '--catalog', join(folder, 'catalog.json')],
      { API_URL: api.url, SPOOL_DIR: join(folder, 'spool') },
    );
    programs.push(program);
    await program.start();
    return program;
  }

  const kept = async () => (await readdir(folder)).filter((name) => name.startsWith('task-executor-artifacts-'));

  /** Killed with one file stored, and the second on its way. */
  async function killed(): Promise<string> {
    const task = api.give();
    api.script('artifacts', 'usual', 'hang');
    const worker = await start();
    await api.untilCalls('artifacts', 2);
    await api.until(() => api.model.running.some(({ lines }) => lines.length === 2));
    expect(api.of('complete')).to.be.empty;
    await worker.kill();
    expect(await kept()).to.have.length(1);
    return task.id;
  }

  it('is followed by one that delivers what was decided before the cleanup', async () => {
    await write({ match: 'test-*', command: ['sh', '-c', SCRIPT], cleanup: ['sh', '-c', 'echo c; sleep 1000'] });
    const task = api.give();
    const worker = await start();
    await api.until(() => api.model.running.some(({ lines }) => lines.includes('c')));
    await worker.kill();
    await start();
    const ended = await api.until(() => api.model.ended.get(`${task.id}/1`));
    expect(ended).to.deep.equal({ verb: 'complete', body: { score: 7 }, lines: ['a', 'b', 'c'] });
    expect(api.of('register')).to.have.length(1);
  });

  it('is followed by one that stores the rest, then delivers the outcome, then registers', async () => {
    const id = await killed();
    const session = api.of('claim')[0]?.session;
    const before = api.calls.length;
    const next = await start();
    const ended = await api.until(() => api.model.ended.get(`${id}/1`));
    expect(ended).to.deep.include({ verb: 'complete', body: { score: 7 } });
    expect([...api.model.artifacts]).to.deep.equal([1, 2, 3].map((n) => [`${id}/1/${n}.txt`, `file ${n}\n`]));
    const later = api.calls.slice(before);
    expect(later.find((call) => call.operation === 'complete')).to.include({ session, attempt: 1 });
    await api.untilCalls('register', 2);
    const order = api.calls.slice(before).map((call) => call.operation);
    expect(order.indexOf('register')).to.be.greaterThan(order.indexOf('complete'));
    next.signal('SIGTERM');
    await next.ended(AbortSignal.timeout(20_000));
    expect(await kept()).to.be.empty;
  });

  it('is followed by one that delivers the outcome where the files are gone, and says so in the log', async () => {
    const id = await killed();
    for (const name of await kept()) await rm(join(folder, name), { recursive: true });
    await start();
    const ended = await api.until(() => api.model.ended.get(`${id}/1`));
    expect(ended).to.deep.include({ verb: 'complete', body: { score: 7 } });
    expect(ended.lines.slice(0, 2)).to.deep.equal(['a', 'b']);
    expect(ended.lines[2]).to.match(/the artifacts were not kept/);
  });
});
