/** Workflows, schedules, limits, pauses, workers, statistics, contexts, completion: against a real API. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startSystem, type System } from './support/processes.js';

const WORKFLOW = `
name: pipeline
labels: { team: red }
tasks:
  - { name: prepare, problem_id: test-prepare, parameters: { max_steps: 1, duration_seconds: 0 } }
  - { name: train, problem_id: test-train, depends_on: [prepare], parameters: { max_steps: 1, duration_seconds: 0 } }
  - { name: report, problem_id: test-report, depends_on: [prepare, train], parameters: { max_steps: 1, duration_seconds: 0, fail: FAIL } }
`;

describe('operating on the command line', function () {
  this.timeout(240_000);
  let system: System;

  before(async () => {
    system = await startSystem();
  });

  after(() => system.stop());

  it('submits workflows, shows them as a tree, and retries what failed', async () => {
    const file = join(system.folder, 'workflow.yaml');
    await writeFile(file, WORKFLOW.replace('FAIL', 'false'));
    const good = await system.run(['workflow', 'submit', file, '--wait']);
    expect(good.code).to.equal(0);
    expect(good.stdout).to.match(/status +completed\ntasks +3: 3 completed\n/);
    expect(good.stdout).to.match(/\nTASK .*\nprepare +completed .*\n└─ train +completed .*\n {3}└─ report \(also after prepare\) +completed +test-report +[0-9a-f-]{36}\n$/);

    const bad = await system.run(['workflow', 'submit', '-', '--wait', '--json'], { input: WORKFLOW.replace('FAIL', 'true') });
    expect(bad.code).to.equal(1);
    expect(bad.json).to.deep.equal((await system.call('GET', `/api/v1/workflows/${bad.json.id}`)).body);
    expect(bad.json.status).to.equal('failed');
    const retried = await system.run(['workflow', 'retry', bad.json.id, '--json']);
    expect(retried.json).to.deep.include({ retry_of: bad.json.id });
    expect((await system.run(['workflow', 'show', retried.json.id, '--wait'])).code).to.equal(1);
    expect((await system.run(['workflow', 'cancel', retried.json.id])).code).to.equal(0);
  });

  it('says what is wrong with a workflow', async () => {
    const tasks = [{ name: 'a', problem_id: 'x', depends_on: ['b'] }, { name: 'b', problem_id: 'x', depends_on: ['a'] }];
    const [wrong, missing] = await Promise.all([
      system.run(['workflow', 'submit', '-'], { input: JSON.stringify({ tasks }) }),
      system.run(['workflow', 'show', '00000000-0000-4000-8000-000000000000']),
    ]);
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.match(/a.*b.*a/);
    expect(missing).to.include({ code: 3, stderr: 'There is no such workflow.\n' });
  });

  it('makes, shows, pauses and ends schedules', async () => {
    const created = await system.run([
      'schedule', 'create', 'test-a', '--cron', '0 2 * * *', '--timezone', 'Europe/Berlin', '--name', 'nightly',
      '-p', 'max_steps=3', '-l', 'suite=nightly', '--overlap', 'allow',
    ]);
    const id = created.stdout.trim();
    expect((await system.call('GET', `/api/v1/schedules/${id}`)).body).to.deep.include({
      cron: '0 2 * * *', timezone: 'Europe/Berlin', name: 'nightly', overlap: 'allow', paused: false,
    });
    const table = await system.run(['schedule', 'list']);
    const lines = await system.run(['schedule', 'list', '--json']);
    const paused = await system.run(['schedule', 'pause', id, '--json']);
    expect(table.stdout).to.match(/ID +NAME +PROBLEM +CRON +NEXT +LAST +TASKS\n.* nightly +test-a +0 2 \* \* \* \(Europe\/Berlin\) +in \d+ (h|min) +- +0\n/);
    expect(lines.lines.map((one) => one.id)).to.deep.equal([id]);
    expect(paused.json).to.deep.include({ paused: true, next_runs: [] });
    expect((await system.run(['schedule', 'resume', id])).stdout).to.match(/state +active\n/);
    expect((await system.run(['schedule', 'show', id])).stdout).to.match(/next +in \d/);
    expect(await system.run(['schedule', 'delete', id])).to.include({ code: 0, stdout: `${id}\n` });
    expect((await system.run(['schedule', 'show', id])).code).to.equal(3);
    expect((await system.run(['schedule', 'create', 'test-a', '--cron', 'x'])).stderr).to.contain('/body/cron: ');
  });

  it('makes, changes and removes limits', async () => {
    const id = (await system.run(['limit', 'create', 'label:team', '--max-running', '5'])).stdout.trim();
    const [again, table, changed] = await Promise.all([
      system.run(['limit', 'create', 'label:team', '--max-running', '6']),
      system.run(['limit', 'list']),
      system.run(['limit', 'change', id, '--max-running', '7', '--json']),
    ]);
    expect(again.code).to.equal(4);
    expect(table.stdout).to.match(/label:team +\(each\) +[57] +0\n/);
    expect(changed.json.max_running).to.equal(7);
    expect((await system.run(['limit', 'delete', id])).code).to.equal(0);
    expect(await system.run(['limit', 'list', '--json'])).to.include({ code: 0, stdout: '' });
  });

  it('pauses and resumes a problem and the queue', async () => {
    expect((await system.run(['pause', 'test-paused', '--reason', 'new\u001b[2Jcluster'])).stdout).to.equal('Paused test-paused.\n');
    expect((await system.run(['pause', '--json'])).json.problem_id).to.equal(null);
    const [pauses, explained] = [await system.run(['pauses']), await system.run(['explain'])];
    for (const { stdout } of [pauses, explained]) expect(stdout).to.contain('(everything)').and.contain('new\\u001b[2Jcluster');
    expect((await system.run(['pauses', '--json'])).lines).to.have.length(2);
    expect((await system.run(['resume'])).stdout).to.equal('Resumed the whole queue.\n');
    expect((await system.run(['resume', 'test-paused', '--json'])).json).to.deep.equal({ resumed: true });
    expect((await system.run(['resume', 'test-paused'])).stdout).to.equal('Nothing to do: test-paused was not paused.\n');
  });

  it('lists workers, drains one and lets it go on', async () => {
    const [table, lines, none] = await Promise.all([
      system.run(['workers']), system.run(['workers', '--json', '--status', 'idle']), system.run(['workers', '--backend', 'gpu']),
    ]);
    expect(table.stdout).to.match(/ID +STATUS +BACKEND .*\nworker-001-kind +idle +kind +0\/1 /);
    expect(lines.lines.map(({ id }) => id as string)).to.deep.equal(['worker-001-kind', 'worker-002-kind']);
    expect(none.stderr).to.equal('No worker fits.\n');
    expect((await system.run(['worker', 'drain', 'worker-001-kind'])).stdout).to.match(/status +idle \(draining\)\n/);
    expect((await system.run(['worker', 'resume', 'worker-001-kind', '--json'])).json.draining).to.equal(false);
    expect((await system.run(['worker', 'show', 'worker-999-kind'])).code).to.equal(3);
    const unfit = { worker_id: 'worker-777-kind', backend_type: 'kind', metadata: { unfit: 'the disk\u001b is full' } };
    await system.call('POST', '/api/v1/workers/register', unfit);
    expect((await system.run(['workers'])).stdout).to.match(/worker-777-kind +idle \(unfit\) /);
    await system.call('POST', '/api/v1/workers/worker-777-kind/drain');
    const shown = await system.run(['worker', 'show', 'worker-777-kind']);
    expect(shown.stdout).to.match(/status +idle \(draining, unfit\)\nunfit +the disk\\u001b is full\n/);
  });

  it('counts, once and again and again', async () => {
    const [once, json] = [await system.run(['stats']), await system.run(['stats', '--json'])];
    expect(once.stdout).to.match(/completed +\d+\n.*\n/).and.match(/PROBLEM +TASKS\n/);
    expect(json.json).to.deep.equal((await system.call('GET', '/api/v1/tasks/stats')).body);
    const watch = system.start(['stats', '--watch', '200ms', '--json']);
    await watch.said('}\n{');
    watch.child.kill('SIGINT');
    const run = await watch.ended;
    expect(run.code).to.equal(130);
    expect(run.lines.length).to.be.at.least(2);
  });

  it('keeps contexts, and says which API it calls', async () => {
    const env = { TASK_EXECUTOR_URL: '' };
    expect((await system.run(['context', 'set', 'lab', '--url', `${system.url}/`], { env })).stdout).to.equal(`lab: ${system.url}\n`);
    await system.run(['context', 'set', 'away', '--url', 'http://127.0.0.1:9'], { env });
    expect((await system.run(['workers', '--json'], { env })).code).to.equal(0);
    expect((await system.run(['config', '--json'], { env })).json).to.deep.include({ url: system.url, from: 'context lab' });
    const config = await system.run(['config'], { env: { ...env, TASK_EXECUTOR_PROFILE: 'away' } });
    expect(config.stdout).to.match(/url +http:\/\/127.0.0.1:9\nfrom +context away\n/);
    expect((await system.run(['context', 'use', 'away'], { env })).code).to.equal(0);
    expect((await system.run(['context', 'list', '--json'], { env })).lines).to.deep.equal([
      { name: 'lab', url: system.url, current: false }, { name: 'away', url: 'http://127.0.0.1:9', current: true },
    ]);
    expect((await system.run(['context', 'delete', 'away'], { env })).code).to.equal(0);
    expect((await system.run(['context', 'use', 'away'], { env })).code).to.equal(3);
    const kept = JSON.parse(await readFile(join(system.folder, 'config/task-executor/config.json'), 'utf8')) as unknown;
    expect(kept).to.deep.equal({ current: null, contexts: { lab: { url: system.url } } });
  });

  it('says what to do where it is not built', async () => {
    const folder = join(system.folder, 'bin');
    await mkdir(folder);
    // By its name a module, without a package.json that says so.
    const program = join(folder, 'task-executor.mjs');
    await copyFile(new URL('../bin/task-executor.js', import.meta.url), program);
    const run = promisify(execFile)(process.execPath, [program, 'list']);
    const failed = await run.then(() => expect.fail('it did not fail'), (error: unknown) => error);
    expect(failed).to.include({ code: 70, stderr: 'The command line is not built: run `npm run build` at the top of the repository first.\n' });
  });

  it('completes commands, options and their words in bash', async () => {
    const { stdout: script } = await system.run(['completion', 'bash']);
    const complete = async (...words: string[]): Promise<string[]> => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const line = `COMP_WORDS=(task-executor ${list}); COMP_CWORD=${words.length}`;
      const { stdout } = await promisify(execFile)('bash', ['-c', `${script}\n${line}; _task_executor; printf '%s\\n' "\${COMPREPLY[@]}"`]);
      return stdout.trim().split('\n');
    };
    expect(await complete('work')).to.deep.equal(['workflow', 'workers', 'worker']);
    expect(await complete('workflow', '')).to.include.members(['submit', 'show', 'cancel', 'retry', '--json']);
    expect(await complete('list', '--status', 'c')).to.deep.equal(['completed', 'cancelled']);
    expect(await complete('schedule', 'create', '--over')).to.deep.equal(['--overlap']);
    for (const shell of ['zsh', 'fish']) expect((await system.run(['completion', shell])).stdout).to.contain('workflow submit');
    expect((await system.run(['completion', 'tcsh'])).code).to.equal(2);
  });
});
