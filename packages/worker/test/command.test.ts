import { expect } from 'chai';
import { planOf } from '../src/executors/simulated.js';
import { errorOf, node, run, TASK } from './fixtures/executions.js';

const writeResult = (text: string): string => `require('fs').writeFileSync(process.env.TASK_RESULT_FILE, ${JSON.stringify(text)});`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('command executor', () => {
  it('hands over parameters, task and a bare environment, and takes the result', async () => {
    process.env.SECRET_OF_THE_WORKER = 'x';
    process.env.HANDED_ON = 'yes';
    const { execution } = await run(node(`
      const fs = require('fs');
      const { TASK_ID, TASK_ATTEMPT, TASK_PROBLEM_ID, HANDED_ON, SET, SECRET_OF_THE_WORKER = null } = process.env;
      fs.writeFileSync(process.env.TASK_RESULT_FILE, JSON.stringify({ TASK_ID, TASK_ATTEMPT, TASK_PROBLEM_ID, HANDED_ON, SET, SECRET_OF_THE_WORKER,
        stdin: JSON.parse(fs.readFileSync(0, 'utf8')), file: JSON.parse(fs.readFileSync(process.env.TASK_PARAMETERS_FILE, 'utf8')) }));
    `, { inherit: ['HANDED_ON'], environment: { SET: 'by the catalog' } }));
    expect(execution).to.deep.equal({
      kind: 'completed',
      result: {
        TASK_ID: TASK.id, TASK_ATTEMPT: '3', TASK_PROBLEM_ID: 'bench-x', HANDED_ON: 'yes', SET: 'by the catalog', SECRET_OF_THE_WORKER: null,
        stdin: TASK.parameters, file: TASK.parameters,
      },
    });
  });

  it('ships stdout and stderr line by line', async () => {
    const { lines } = await run(node("console.log('one\\ntwo'); console.error('three'); process.stdout.write('no end')"));
    expect(lines.filter((line) => line.level === 'info').map((line) => line.message)).to.deep.equal(['one', 'two', 'no end']);
    expect(lines.filter((line) => line.level === 'warning').map((line) => line.message)).to.deep.equal(['three']);
  });

  it('cuts a line that does not end', async () => {
    const { lines } = await run(node("process.stdout.write('x'.repeat(3_000_000))"));
    expect(lines.length).to.be.greaterThan(1);
    expect(Math.max(...lines.map((line) => line.message.length))).to.be.at.most(65_536);
    expect(lines.reduce((sum, line) => sum + line.message.length, 0)).to.equal(3_000_000);
  });

  const failures: [string, string, RegExp][] = [
    ['an exit code', 'process.exit(3)', /exited with code 3/],
    ['a signal', "process.kill(process.pid, 'SIGKILL')", /ended by SIGKILL/],
    ['a result that is not JSON', writeResult('{'), /not JSON/],
    ['a result that is a list', writeResult('[]'), /not a JSON object/],
    ['a result that is too large', "require('fs').writeFileSync(process.env.TASK_RESULT_FILE, 'x'.repeat(2_000_000))", /at most/],
  ];
  for (const [name, code, error] of failures) {
    it(`fails for ${name}`, async () => {
      const { execution } = await run(node(code));
      expect(execution.kind).to.equal('failed');
      expect(errorOf(execution)).to.match(error);
    });
  }

  it('completes without a result', async () => {
    expect((await run(node(''))).execution).to.deep.equal({ kind: 'completed', result: { success: true } });
  });

  it('ends the whole group, also one that ignores TERM', async () => {
    let grandchild = 0;
    const code = `
      process.on('SIGTERM', () => {});
      const child = require('child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const { execution } = await run(node(code), {}, (line, stop) => {
      grandchild = Number(line.message);
      stop();
    });
    expect(execution.kind).to.equal('failed');
    expect(grandchild).to.be.greaterThan(0);
    while (isAlive(grandchild)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('does not wait for a grandchild that left the group and holds stdout', async () => {
    const code = `
      const child = require('child_process').spawn(process.execPath, ['-e', "setInterval(() => {}, 1000)"], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
      console.log(child.pid);
      child.unref();`;
    const { execution, lines } = await run(node(code));
    expect(execution.kind).to.equal('completed');
    process.kill(Number(lines[0]?.message), 'SIGKILL');
  });
});

describe('simulated executor', () => {
  it('takes what fits and names what does not', () => {
    expect(planOf({})).to.deep.equal({ steps: 30, seconds: 2, failure: null });
    expect(planOf({ max_steps: 3, duration_seconds: 0.5, fail: true, error: 'x' })).to.deep.equal({ steps: 3, seconds: 0.5, failure: 'x' });
    for (const wrong of [{ max_steps: -1 }, { max_steps: 'x' }, { duration_seconds: -1 }, { fail: 1 }, { error: 5 }]) expect(planOf(wrong)).to.be.a('string');
  });
});
