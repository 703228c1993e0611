/** Containers, with a stand-in for Docker's command line that runs the command and notes what it was called with. */
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCatalog } from '../src/catalog/catalog-file.js';
import { errorOf, run, TASK, type Story, type Watch } from './fixtures/executions.js';

const NAME = `task-executor-${TASK.id}-3`;

describe('container executor', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'container-test-'));
    await copyFile(new URL('fixtures/fake-docker.sh', import.meta.url), join(folder, 'docker'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const catalogOf = (container: Record<string, unknown>, more: Record<string, unknown> = {}): string =>
    JSON.stringify({ problems: [{ match: '*', container: { image: 'busybox:1', runtime: join(folder, 'docker'), ...container }, grace_seconds: 0.2, ...more }] });
  const runContainer = (container: Record<string, unknown>, more: Record<string, unknown> = {}, watch?: Watch): Promise<Story> =>
    run(parseCatalog(catalogOf(container, more), '/tmp/c.json').entries[0]!, {}, watch);
  const calls = async (): Promise<string[]> => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  const sh = (script: string): string[] => ['sh', '-c', script];
  /** The next calls of these verbs are not answered, one for each. */
  const silence = (...verbs: string[]): Promise<void> => writeFile(join(folder, 'silent'), verbs.map((verb) => `${verb}\n`).join(''));
  const removals = async (): Promise<number> => (await calls()).filter((call) => call === `rm --force --volumes ${NAME}`).length;

  it('runs the image with its bounds, hands it the task, takes what it leaves, and removes it', async () => {
    process.env.HANDED_ON = 'from the worker';
    const { execution, lines, artifacts, progress } = await runContainer({
      command: sh('echo "$HANDED_ON $SET"; cp "$TASK_PARAMETERS_FILE" "$TASK_RESULT_FILE"; echo kept > "$TASK_ARTIFACTS_DIR/a.txt"; echo \'{"type":"progress","step":1}\' >> "$TASK_EVENTS_FILE"'),
      memory_mib: 64, cpus: 0.5, processes: 20, arguments: ['--gpus', 'all'],
    }, { env: ['HANDED_ON'], environment: { SET: 'by the catalog' } });
    expect(execution).to.deep.equal({ kind: 'completed', result: TASK.parameters });
    expect(lines.map(({ message }) => message)).to.deep.equal(['from the worker by the catalog']);
    expect(artifacts['a.txt']?.text).to.equal('kept\n');
    expect(progress.at(-1)).to.deep.equal({ step: 1 });
    const [started = '', removed] = await calls();
    for (const part of [`run --name ${NAME} `, ' --network none ', ' --memory 64m --memory-swap 64m ', ' --cpus 0.5 ', ' --pids-limit 20 ', ' --read-only ', ' --cap-drop ALL ',
      ' --security-opt no-new-privileges ', ' --env HANDED_ON ', ' --env TASK_RESULT_FILE=/task/result.json ', ' --gpus all busybox:1 sh -c ']) expect(started).to.contain(part);
    expect(started).to.not.contain('from the worker');
    expect(removed).to.equal(`rm --force --volumes ${NAME}`);
  });

  it('passes TERM on, and removes what ignores it', async () => {
    const stopAtOn: Watch = ({ message }, stop) => {
      if (message === 'on') stop();
    };
    const polite = await runContainer({ command: sh('trap "echo tidied up; exit 0" TERM; echo on; while :; do sleep 0.1; done') }, { grace_seconds: 60 }, stopAtOn);
    expect(polite.lines.at(-1)?.message).to.equal('tidied up');
    const stubborn = await runContainer({ command: sh('trap "" TERM; echo on; while :; do sleep 0.1; done') }, {}, stopAtOn);
    expect(stubborn.execution.kind).to.equal('failed');
    expect((await calls()).at(-1)).to.equal(`rm --force --volumes ${NAME}`);
  });

  it('is not fit where the container cannot be started, and says when one ran out of memory', async () => {
    expect((await runContainer({ image: 'missing' })).execution)
      .to.deep.equal({ kind: 'unfit', reason: 'the container could not be started: the command exited with code 125: no such image: missing' });
    expect(errorOf((await runContainer({ image: 'oom', memory_mib: 8 })).execution)).to.equal('the container ran out of its memory of 8 MiB');
    const own = await runContainer({ command: sh('exit 125') });
    expect(own.execution.kind).to.equal('failed');
    expect((await runContainer({ runtime: join(folder, 'none') })).execution.kind).to.equal('unfit');
  });

  it('fails by its own doing where it may have run, though the runtime does not tell of it', async () => {
    await silence('inspect');
    expect((await runContainer({ command: sh('echo broken >&2; exit 3') })).execution)
      .to.deep.equal({ kind: 'failed', error: 'the command exited with code 3: broken' });
    await silence('run', 'inspect', 'rm', 'ps');
    expect((await runContainer({ command: sh('exit 3') })).execution)
      .to.deep.equal({ kind: 'unfit', reason: 'the container could not be started: the command exited with code 125: the daemon does not answer' });
  });

  it('is removed again until it is gone', async () => {
    await silence('rm', 'rm');
    expect((await runContainer({ command: sh('echo "{}" > "$TASK_RESULT_FILE"') })).execution).to.deep.equal({ kind: 'completed', result: {} });
    expect(await removals()).to.equal(3);
    await silence('rm');
    const gone = await runContainer({ command: sh(`rm ${join(folder, NAME)}.state; exit 3`) });
    expect(gone.execution).to.deep.equal({ kind: 'failed', error: 'the command exited with code 3' });
    expect(await removals()).to.equal(4);
  });

  it('lets its host take nothing more where it cannot be removed, and says so in its log', async () => {
    await silence(...Array.from({ length: 20 }, () => 'rm'));
    const { execution, lines } = await runContainer({ command: sh('echo "{}" > "$TASK_RESULT_FILE"') });
    const words = new RegExp(`^the container ${NAME} could not be removed, and may still run: [^]*the daemon does not answer$`);
    expect(execution.kind === 'completed' ? execution.unfit : null).to.match(words);
    expect(lines.at(-1)?.level).to.equal('error');
    expect(lines.at(-1)?.message).to.match(words);
  });

  it('is removed, too, where the worker is killed', async () => {
    const catalog = catalogOf({ command: sh(`trap "" TERM; echo on > ${join(folder, 'on')}; while :; do sleep 0.1; done`) });
    const worker = spawn(process.execPath, ['--import', 'tsx', new URL('fixtures/killed-worker.ts', import.meta.url).pathname, catalog], { stdio: 'ignore' });
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => '');
    while ((await read('on')) === '') await pause();
    const container = Number(await read(`${NAME}.pid`));
    expect(container).to.be.greaterThan(0);
    worker.kill('SIGKILL');
    const isAlive = (): boolean => {
      try {
        return process.kill(container, 0);
      } catch {
        return false;
      }
    };
    while (isAlive()) await pause();
    while (!(await calls()).includes(`rm --force --volumes ${NAME}`)) await pause();
  });
});
