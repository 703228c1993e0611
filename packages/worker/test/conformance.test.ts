/** The conformance kit, tried on workers that keep the rules and on workers that do not. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { conformance, SCENARIOS, scenariosOf } from '../src/conformance/conformance.js';
import { wordsOf } from '../src/conformance/program.js';
import type { Scenario } from '../src/conformance/rule.js';

const PYTHON_WORKER = new URL('../../../examples/worker.py', import.meta.url);

const COMPLETE = '        say("complete", result)\n';

/** In place of the calls for one. */
const REPORT_OF_MANY = `
    alone = say
    def say(verb, body):
        if verb == "logs":
            return alone(verb, body)
        end = {"outcome": "completed", "result": body} if verb == "complete" else {"outcome": "failed", **body}
        report = {"task_id": task["id"], "attempt": task["attempt"], **end}
        return call("POST", f"{path}/report", {"reports": [report]}, stop, session)
`;

const OUR_WORKER = [process.execPath, new URL('../dist/main.js', import.meta.url).pathname, 'start'];

const showing = (rule: string): Scenario[] => SCENARIOS.filter((scenario) => rule in scenario.rules);

/** Scenarios are mostly waits for leases and heartbeats. */
const AT_ONCE = 5;

async function brokenRules(words: string[], scenarios: readonly Scenario[], patienceMs: number): Promise<Record<string, string>> {
  const broken: Record<string, string> = {};
  for await (const { rule, verdict, why } of conformance({ words, patienceMs }, scenarios, { atOnce: AT_ONCE })) if (verdict === 'broken') broken[rule] = why;
  return broken;
}

describe('conformance', function () {
  this.timeout(600_000);

  /** Of our worker as it was built: compiling it anew for each scenario would take most of the time. */
  let ours: Promise<Record<string, string>>;
  before(() => {
    ours = brokenRules(OUR_WORKER, scenariosOf('full'), 60_000);
    // Awaited by the last test: meanwhile the others run.
    ours.catch(() => undefined);
  });

  it('lists the rules that docs/protocol.md lists', async () => {
    const page = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| ([A-Z][0-9]+) \| (basic|full) \| (.+) \|$/gm)].map(([, rule, level, text]) => [rule, level, text]);
    expect(listed).to.deep.equal(SCENARIOS.flatMap(({ rules, level }) => Object.entries(rules).map(([rule, text]) => [rule, level, text])));
  });

  it('reads a command line without a shell', () => {
    expect(wordsOf('python3 "my worker.py" \'a "b"\' $HOME')).to.deep.equal(['python3', 'my worker.py', 'a "b"', '$HOME']);
  });

  describe('of the worker in Python', () => {
    let folder: string;
    let source: string;
    before(async function () {
      const { stdout } = await promisify(execFile)('python3', ['--version']).catch(() => ({ stdout: '' }));
      if (!stdout.startsWith('Python 3')) {
        process.stderr.write('python3 is missing: the worker in Python is not tried\n');
        this.skip();
      }
      source = await readFile(PYTHON_WORKER, 'utf8');
      folder = await mkdtemp(join(tmpdir(), 'conformance-test-'));
    });
    after(async () => {
      if (folder !== undefined) await rm(folder, { recursive: true });
    });

    it('finds it to keep the basic level', async () => {
      expect(await brokenRules(['python3', PYTHON_WORKER.pathname], scenariosOf('basic'), 60_000)).to.deep.equal({});
    });

    /** The worker with changes: each a text and what stands in its place. */
    async function changed(name: string, ...changes: [string, string][]): Promise<string[]> {
      let text = source;
      for (const [before, after] of changes) {
        expect(text).to.contain(before);
        text = text.replace(before, after);
      }
      const program = join(folder, `${name}.py`);
      await writeFile(program, text);
      return ['python3', program];
    }

    it('finds it to fail a task whose result the API refuses', async () => {
      expect(await brokenRules(['python3', PYTHON_WORKER.pathname], showing('P5'), 20_000)).to.deep.equal({});
    });

    it('finds it to keep the basic level with the calls for many, too', async () => {
      const words = await changed('many',
        ['task = call("POST", f"{path}/claim", {', 'claimed = call("POST", f"{path}/claim-batch", {"max_tasks": 1, '],
        ['attempt(task, running, path, session) if task else', 'attempt(claimed["tasks"][0], running, path, session) if claimed and claimed["tasks"] else'],
        ['    running.append(', `${REPORT_OF_MANY}    running.append(`]);
      expect(await brokenRules(words, scenariosOf('basic'), 60_000)).to.deep.equal({});
    });

    it('takes a worker whose heartbeats hang for one that keeps to the end of its session', async () => {
      const words = await changed('hanging',
        ['over.wait(interval)', 'over.wait(0.2)'],
        ['for named, _ in running]}', 'for named, _ in running], "wait_seconds": interval}'],
        // So slow that the first heartbeat of the new session comes while its task runs.
        [COMPLETE, `        leaving.wait(1)\n${COMPLETE}`]);
      expect(await brokenRules(words, showing('F1'), 10_000)).to.deep.equal({});
    });

    /** A rule, and how the worker breaks it. */
    const MISTAKES: [string, ...[string, string][]][] = [
      ['R2', ['stop.wait(float(retry_after) + ', 'stop.wait(']],
      ['R3', ['{"Worker-Session": worker["session"]}', '{}']],
      ['H2', ['[named for named, _ in running]', '[]']],
      ['H3', ['            stop.set()\n\nleaving', '            pass\n\nleaving']],
      ['C1', ['"request_id": str(uuid.uuid4())', '"request_id": "same"']],
      ['C3', ['leaving.wait(0.2)', 'None']],
      ['P2', [COMPLETE, COMPLETE + COMPLETE]],
      ['L2', ['next(lines)', '0']],
      ['F1', ['"attempts": [named for named, _ in running]}, over,', '"attempts": [named for named, _ in running]}, threading.Event(),']],
      ['F1', ['if over.is_set() or named', 'if named']],
      ['D2', ['    call("DELETE", path, {}, over, session)\n', '']],
    ];

    it('finds those that break a rule', async () => {
      const found = await Promise.all(MISTAKES.map(async ([rule, ...mistakes], n) => {
        const broken = await brokenRules(await changed(`${n}-${rule}`, ...mistakes), showing(rule), 6_000);
        return [rule, rule in broken];
      }));
      expect(found).to.deep.equal(MISTAKES.map(([rule]) => [rule, true]));
    });
  });

  it('says at once that a program cannot be started', async () => {
    const main = new URL('../dist/main.js', import.meta.url).pathname;
    const { code, stderr } = await promisify(execFile)(process.execPath, [main, 'conformance', '--cmd', 'no-such-program-here --fast'])
      .catch((error: unknown) => error) as { code?: number; stderr: string };
    expect({ code, stderr }).to.deep.equal({ code: 2, stderr: 'The program no-such-program-here cannot be started: spawn no-such-program-here ENOENT\n' });
  });

  describe('of our worker', () => {
    it('finds one that keeps its id, and so gets the task of its old session again, to keep to the end of its lease', async () => {
      expect(await brokenRules([...OUR_WORKER, '--id', 'worker-007-kind'], showing('F2'), 60_000)).to.deep.equal({});
    });

    it('finds it to keep every rule', async () => {
      expect(await ours).to.deep.equal({});
    });
  });
});
