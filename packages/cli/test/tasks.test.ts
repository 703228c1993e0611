/** Submitting, reading, waiting, changing: each command against a real API, and what it exits with. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startCli, startSystem, type System } from './support/processes.js';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n$/;
const NO_TASK = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const QUICK = ['-p', 'max_steps=2', '-p', 'duration_seconds=0'];

describe('tasks on the command line', function () {
  this.timeout(240_000);
  let system: System;

  before(async () => {
    system = await startSystem();
  });

  after(() => system.stop());

  /** The id of a task that no worker takes. */
  const submitIdle = async (...args: string[]): Promise<string> =>
    (await system.run(['submit', 'nobody-takes-this', ...args])).stdout.trim();

  it('submits what the options say, and prints the id', async () => {
    await writeFile(join(system.folder, 'params.yaml'), 'agent: { model: small, steps: 5 }\nseed: 1\n');
    const parent = await submitIdle();
    const run = await system.run([
      'submit', 'nobody-takes-this', '--params-file', join(system.folder, 'params.yaml'), '-p', 'agent.model=large', '-p', 'seed=2',
      '--priority', '8', '--name', 'mine', '-l', 'team=red', '--label', 'suite=a=b', '--timeout', '1h30m', '--max-attempts', '3',
      '--max-lost', '2', '--backend', 'gpu', '--delay', '2m', '--depends-on', parent,
      '--run-anyway', '--dedupe-key', 'k',
    ]);
    expect(run).to.include({ code: 0 });
    expect(run.stdout).to.match(ID);
    const { body } = await system.call('GET', `/api/v1/tasks/${run.stdout.trim()}`);
    expect(body).to.deep.include({
      problem_id: 'nobody-takes-this', name: 'mine', parameters: { agent: { model: 'large', steps: 5 }, seed: 2 }, priority: 8,
      labels: { team: 'red', suite: 'a=b' },
      timeout_seconds: 5400, max_attempts: 3, max_lost: 2, backend_type: 'gpu', dedupe_key: 'k', reason: 'blocked',
    });
    expect(Date.parse(body.run_at) - Date.parse(body.created_at)).to.be.closeTo(120_000, 1);
    const again = await system.run(['submit', 'nobody-takes-this', '--dedupe-key', 'k']);
    expect(again.stdout).to.equal(run.stdout);
  });

  it('warns at once where no worker takes the task', async () => {
    expect((await system.run(['submit', 'nobody-takes-this'])).stderr).to.match(/^Note: .*worker/);
  });

  it('reads parameters from stdin, and gives the same task for the same key', async () => {
    const args = ['submit', 'nobody-takes-this', '--params-file', '-', '--idempotency-key', 'one', '--json'];
    const first = await system.run(args, { input: '{"a": 1}' });
    const { warnings, ...task } = first.json;
    expect(warnings).to.have.length(1);
    expect(task).to.deep.equal((await system.call('GET', `/api/v1/tasks/${first.json.id}`)).body);
    const [same, other] = await Promise.all([system.run(args, { input: '{"a": 1}' }), system.run(args, { input: '{"a": 2}' })]);
    expect(same.json.id).to.equal(task.id);
    expect(other.code).to.equal(2);
    expect(JSON.parse(other.stderr).error).to.deep.include({ exit_code: 2 });
    expect(JSON.parse(other.stderr).error.problem.code).to.equal('idempotency_key_reused');
  });

  it('waits, and says by its exit code how the task ended', async () => {
    const good = await system.run(['submit', 'test-a', ...QUICK, '--wait', '--json']);
    expect(good.code).to.equal(0);
    expect(good.json).to.deep.equal((await system.call('GET', `/api/v1/tasks/${good.json.id}`)).body);
    expect(good.json.status).to.equal('completed');
    const bad = await system.run(['submit', 'test-a', ...QUICK, '-p', 'fail=true', '-p', 'error=\u001b[31mno', '--wait']);
    expect(bad.code).to.equal(1);
    expect(bad.stdout).to.match(/status +failed\n/).and.contain('\\u001b[31mno');
    const reused = await system.run(['submit', 'test-a', ...QUICK, '--reuse', '1h', '--wait', '--json']);
    expect(reused.json).to.deep.include({ status: 'completed', reason: 'reused', reused_from: good.json.id });
  });

  it('follows the log of what it submits', async () => {
    const run = await system.run(['submit', 'test-a', ...QUICK, '--follow']);
    expect(run.code).to.equal(0);
    expect(run.stdout).to.match(/^\d\d:\d\d:\d\d\.\d{3} info {5}step 1 of 2 \{"step":1\}\n.*step 2 of 2 .*\nid +/);
    const json = await system.run(['submit', 'test-a', ...QUICK, '--follow', '--json']);
    expect(json.lines.map(({ message, status }) => message ?? status)).to.deep.equal(['step 1 of 2', 'step 2 of 2', 'completed']);
  });

  it('lists with filters, over pages, as a table, as JSON lines and as ids', async () => {
    const label = 'list=1';
    const made: string[] = [];
    const tasks = Array.from({ length: 130 }, () => ({ problem_id: 'nobody-lists-this', labels: { list: '1' } }));
    await system.call('POST', '/api/v1/tasks/batch', { tasks });
    const page = await system.run(['list', '-l', label, '--limit', '125', '--json', '--sort', 'created_at']);
    expect(page.lines).to.have.length(125);
    for (const task of page.lines) made.push(task.id);
    expect([...made].sort()).to.deep.equal(made);
    expect(page.lines[0]).to.deep.equal((await system.call('GET', `/api/v1/tasks/${made[0]!}`)).body);
    const ids = await system.run([
      'list', '--problem', 'nobody-lists-*', '-q', '--status', 'pending,running', '--since', '1h', '-n', '200',
    ]);
    expect(ids.stdout.trim().split('\n')).to.have.length(130);
    const table = await system.run(['ls', '-l', label, '-n', '2']);
    expect(table.stdout.split('\n')[0]).to.match(/^ID +STATUS +PROBLEM +WORKER +SUBMITTED +RAN$/);
    expect(table.stdout.split('\n')[1]).to.match(/pending \(unclaimable\) +nobody-lists-this +- +(now|\d+ s ago) +-$/);
    for (const form of [[], ['-q'], ['--json']]) {
      const cut = await system.run(['list', '-l', label, '-n', '2', ...form]);
      expect(cut.stderr, form.join()).to.equal('2 of 130 tasks; --limit shows more.\n');
      expect((await system.run(['list', '-l', label, '-n', '130', ...form])).stderr, form.join()).to.equal('');
    }
    const none = await system.run(['list', '--label', 'list=none']);
    expect(none).to.include({ code: 0, stdout: '', stderr: 'No task fits.\n' });
  });

  it('shows one, its attempts and why it waits', async () => {
    const { json: task } = await system.run(['submit', 'test-a', ...QUICK, '--wait', '--json']);
    expect((await system.run(['get', task.id, '--json'])).json).to.deep.equal(task);
    expect((await system.run(['get', task.id])).stdout).to.match(/result +\{"success":true/);
    const attempts = await system.run(['attempts', task.id, '--json']);
    expect(attempts.lines).to.deep.equal((await system.call('GET', `/api/v1/tasks/${task.id}/attempts`)).body.attempts);
    expect((await system.run(['attempts', task.id])).stdout).to.match(/ATTEMPT +OUTCOME .*\n +1 +completed +worker-\d+-kind/);
    const idle = await submitIdle();
    expect((await system.run(['explain', idle])).stdout).to.contain('none of the 2 live workers').and.match(/status +pending \(unclaimable\)/);
    expect((await system.run(['explain', idle, '--json'])).json.constraints[0].kind).to.equal('no_worker');
    expect((await system.run(['explain'])).stdout).to.match(/\d+ pending, \d+ running\n\nREASON .*\nunclaimable +nobody-/);
    expect((await system.run(['explain', '--json'])).json.by_reason.unclaimable.tasks).to.be.above(0);
  });

  it('adjusts one that has not begun', async () => {
    const id = await submitIdle();
    expect((await system.run(['adjust', id, '--priority', '9', '--json'])).json).to.include({ id, priority: 9 });
    expect((await system.run(['adjust', id])).code).to.equal(2);
  });

  it('cancels and retries by ids, and goes on where one cannot be', async () => {
    const [one, two] = [await submitIdle(), await submitIdle()];
    const run = await system.run(['cancel', one, NO_TASK, two]);
    expect(run).to.include({ code: 3, stdout: `${one}\n${two}\n` });
    expect(run.stderr).to.contain(`${NO_TASK}: There is no such task.`);
    const { error } = JSON.parse((await system.run(['cancel', NO_TASK, two, '--json'])).stderr.split('\n')[0]!) as { error: unknown };
    expect(error).to.deep.include({ exit_code: 3, id: NO_TASK }).and.have.nested.property('problem.code', 'task_not_found');
    const again = await system.run(['cancel', one]);
    expect(again).to.include({ code: 4, stderr: 'The task has already ended.\nThe task is cancelled.\n' });
    const retried = await system.run(['retry', one, '--json']);
    expect(retried.lines[0]).to.deep.include({ retry_of: one, status: 'pending' });
    expect((await system.run(['retry', retried.lines[0].id])).code).to.equal(4);
  });

  it('cancels and retries every task that fits, once that is confirmed', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => submitIdle('-l', 'bulk=1', '--name', name)));
    expect(await system.run(['cancel', '-l', 'bulk=1'])).to.include({ code: 2, stderr: 'There is nobody to ask: confirm with --yes.\n' });
    const cancelled = await system.run(['cancel', '-l', 'bulk=1', '--yes', '--json']);
    expect(cancelled.json).to.include({ action: 'cancel', state: 'done', examined: 3, changed: 3 });
    expect((await system.run(['bulk', 'show', cancelled.json.id])).stdout).to.match(/cancelled +3 tasks/);
    expect((await system.run(['bulk', 'stop', cancelled.json.id])).code).to.equal(4);
    expect((await system.run(['retry', '-l', 'bulk=1', '--status', 'cancelled', '-y'])).stdout).to.match(/submitted again +3 tasks/);
    for (const args of [['cancel'], ['retry', NO_TASK, '--status', 'failed']]) {
      expect((await system.run(args)).code, args.join(' ')).to.equal(2);
    }
  });

  it('waits for several, also for those that stdin names, and gives up when it was told to', async () => {
    const [good, bad] = await Promise.all([[], ['-p', 'fail=true']].map(async (more) => {
      const submitted = await system.run(['submit', 'test-a', '-p', 'duration_seconds=0', '-p', 'max_steps=1', ...more]);
      return submitted.stdout.trim();
    }));
    const run = await system.run(['wait', '-', '--json'], { input: `${good!}\n\n${bad!}\n${good!}\n` });
    expect(run.code).to.equal(1);
    const ended = run.lines.map(({ id, status }) => `${id as string} ${status as string}`);
    expect(ended).to.have.members([`${good!} completed`, `${bad!} failed`]);
    expect(await system.run(['wait', good!])).to.include({ code: 0 });
    const joined = await system.run(['wait', good!, '-', '--json'], { input: bad! });
    expect(joined.lines.map(({ id }) => id as string)).to.have.members([good!, bad!]);
    expect(await system.run(['wait', '-'], { input: '\n' })).to.deep.include({ code: 0, stderr: 'stdin names no task.\n' });
    const unknown = await system.run(['wait', good!, NO_TASK]);
    expect(unknown.code).to.equal(3);
    expect(unknown.stderr).to.equal(`${NO_TASK}: There is no such task.\n`);
    const junk = await system.run(['wait', '-'], { input: `${good!}\njunk\n` });
    expect(junk.code).to.equal(2);
    expect(junk.stderr).to.contain('"junk" in stdin: It must be the id of a task');
    const idle = await submitIdle();
    expect(await system.run(['wait', idle, '--for', '200ms'])).to.include({ code: 7 });
    expect((await system.call('GET', `/api/v1/tasks/${idle}`)).body.status).to.equal('pending');
  });

  it('leaves the task where it is interrupted, and says how to go on', async () => {
    const id = await submitIdle();
    for (const [args, hint, metric] of [
      [['wait', id], `task-executor wait ${id}`, 'task_executor_followers'],
      [['logs', '-f', id], `task-executor logs -f ${id}`, 'task_executor_event_streams'],
    ] as const) {
      const cli = system.start(args);
      await metricIsUp(metric);
      cli.child.kill('SIGINT');
      const run = await cli.ended;
      expect(run.code).to.equal(130);
      expect(run.stderr).to.contain(hint);
    }
    const submitted = system.start(['submit', 'nobody-takes-this', '--wait']);
    await submitted.said('Submitted ');
    submitted.child.kill('SIGTERM');
    const run = await submitted.ended;
    expect(run.code).to.equal(143);
    expect(run.stderr).to.contain('The task goes on.');
    expect((await system.call('GET', `/api/v1/tasks/${id}`)).body.status).to.equal('pending');
  });

  /** Resolves when the API says that somebody waits. */
  async function metricIsUp(metric: string): Promise<void> {
    const up = new RegExp(`^${metric} [1-9]`, 'm');
    while (!up.test(await (await fetch(`${system.url}/metrics`)).text()));
  }

  it('shows what goes wrong in words that say what to do, with an exit code', async () => {
    const cases: [string[], number, string][] = [
      [['get', NO_TASK], 3, 'There is no such task.'],
      [['get', 'x'], 2, 'It must be the id of a task, such as'],
      [['get', ''], 2, 'It must be the id of a task, such as'],
      [['get', 'stats'], 2, 'It must be the id of a task, such as'],
      [['wait', ''], 2, 'It must be the id of a task, such as'],
      [['cancel', NO_TASK, ''], 2, 'It must be the id of a task, such as'],
      [['explain', ''], 2, 'It must be the id of a task, such as'],
      [['schedule', 'show', ''], 2, 'It must be the id of a schedule, such as'],
      [['worker', 'show', ''], 2, 'It must be the id of a worker, such as worker-001-kind'],
      [['worker', 'show', 'internal'], 2, 'It must be the id of a worker, such as worker-001-kind'],
      [['submit', 'a b'], 2, '/body/problem_id: '],
      [['submit', 'a', '--delay', '1s', '--run-at', '2026-01-06'], 2, 'not both'],
      [['submit', 'a', '--params-file', '/no/such/file'], 2, 'cannot be read'],
      [['submit', 'a', '-p', 'x'], 2, 'KEY=VALUE'],
      [['sumbit', 'a'], 2, 'Did you mean submit?'],
      [['submit'], 2, 'missing required argument'],
      [['list', '--status', 'done'], 2, '"done" is none of pending'],
      [['submit', 'a', '--priority', '11'], 2, 'from 0 to 10'],
      [['list', '--api-url', 'x'], 2, 'must be a URL'],
      [['list', '--context', 'none'], 2, 'There is no context "none"'],
    ];
    const runs = await Promise.all(cases.map(([args]) => system.run(args)));
    for (const [n, [args, code, message]] of cases.entries()) {
      const run = runs[n]!;
      expect(run.code, args.join(' ')).to.equal(code);
      expect(run.stderr, args.join(' ')).to.contain(message);
      expect(run.stdout, args.join(' ')).to.equal('');
    }
  });

  it('says what is wrong with the command line in JSON, where it is asked to', async () => {
    const cases: [string[], string][] = [
      [['--json', 'submit'], 'missing required argument'],
      [['list', '--status', 'nope', '--json'], '"nope" is none of pending'],
      [['--json', 'sumbit', 'a'], 'Did you mean submit?'],
      [['--json', 'get', ''], 'It must be the id of a task'],
      [['--json'], 'Name a command'],
    ];
    for (const [args, message] of cases) {
      const run = await system.run(args);
      expect(run.code, args.join(' ')).to.equal(2);
      expect(run.stdout, args.join(' ')).to.equal('');
      const { error } = JSON.parse(run.stderr) as { error: { message: string } };
      expect(error, args.join(' ')).to.include({ exit_code: 2, problem: null });
      expect(error.message, args.join(' ')).to.contain(message);
    }
  });

  it('shows help that names the exit codes', async () => {
    for (const args of [['--help'], ['help']]) {
      const run = await system.run(args);
      expect(run.code).to.equal(0);
      expect(run.stdout).to.contain('Exit codes:').and.contain('130  interrupted');
    }
    expect((await system.run(['submit', '--help'])).stdout).to.contain('--idempotency-key').and.contain('--json');
    expect((await system.run(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    expect((await system.run([])).code).to.equal(2);
  });

  it('says where it looked for an API that is away, and how to say otherwise', async () => {
    const env = { TASK_EXECUTOR_URL: 'http://127.0.0.1:9', XDG_CONFIG_HOME: system.folder };
    const run = await startCli(['list', '--retry-for', '0'], { env }).ended;
    expect(run.code).to.equal(5);
    expect(run.stderr).to.contain('http://127.0.0.1:9 (TASK_EXECUTOR_URL)').and.contain('ECONNREFUSED').and.contain('--api-url');
  });

  it('colours where it is asked to, and nowhere else', async () => {
    const { json: task } = await system.run(['submit', 'test-a', ...QUICK, '--wait', '--json']);
    const coloured = '\u001b[32mcompleted\u001b[39m';
    const cases: [string[], Record<string, string>, boolean][] = [
      [[], {}, false],
      [[], { FORCE_COLOR: '1' }, true],
      [['--color'], {}, true],
      [[], { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
      [['--no-color'], { FORCE_COLOR: '1' }, false],
      [['--json'], { FORCE_COLOR: '1' }, false],
    ];
    const runs = await Promise.all(cases.map(([args, env]) => system.run(['get', task.id, ...args], { env })));
    for (const [n, [args, , wanted]] of cases.entries()) {
      expect(runs[n]!.stdout.includes(coloured), args.join(' ')).to.equal(wanted);
      expect(runs[n]!.stdout.includes('\u001b'), args.join(' ')).to.equal(wanted);
    }
  });
});
