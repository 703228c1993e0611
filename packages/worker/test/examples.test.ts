/** The examples of this repository, run as its catalog says. */
import { expect } from 'chai';
import { Catalog } from '../src/catalog/catalog.js';
import type { Task } from '../src/executors/executor.js';
import { run, type Story } from './fixtures/executions.js';

describe('examples', function () {
  this.timeout(120_000);
  const catalog = Catalog.read(new URL('../../../examples/catalog.yaml', import.meta.url).pathname);
  const runTask = (problem: string, task: Partial<Task> = {}): Promise<Story> => run(catalog.find(problem)!, { problem_id: problem, parameters: {}, ...task });

  it('in Python', async () => {
    const { execution, progress, artifacts, lines } = await runTask('demo-pi-1', { parameters: { points: 20_000, batches: 4, seed: 1 } });
    if (execution.kind !== 'completed') expect.fail(JSON.stringify({ execution, lines }));
    expect(execution.result.pi).to.be.closeTo(Math.PI, 0.1);
    expect(progress.at(-1)).to.deep.include({ step: 4, total: 4, message: '20000 points', metrics: { estimate: execution.result.pi } });
    expect(artifacts['estimates.csv']?.text.split('\n')).to.have.length(6);
    expect(lines.at(-1)).to.deep.include({ level: 'info', message: 'done' });
    const wrong = await runTask('demo-pi-1', { parameters: { points: 'many' } });
    expect(wrong.execution).to.deep.include({ kind: 'failed', retryable: false });
  });

  it('in shell', async () => {
    const { execution, progress, artifacts } = await runTask('demo-host-1');
    expect(execution).to.deep.include({ kind: 'completed' });
    expect(progress.at(-1)).to.deep.equal({ step: 3, total: 3, message: 'processors' });
    expect(artifacts['report.txt']?.text).to.match(/^== system ==\n/);
  });

  it('in TypeScript', async () => {
    const { execution, lines, artifacts } = await runTask('demo-summary-1', { dependencies: { a: { score: 1 }, b: { score: 4 }, c: null } });
    expect(execution).to.deep.equal({ kind: 'completed', result: { success: true, tasks: 2, mean: 2.5, least: 1, greatest: 4 } });
    expect(lines).to.deep.equal([{ level: 'warning', message: 'c has no number score' }]);
    expect(artifacts['rows.json']?.text).to.equal('{"a":1,"b":4}');
    expect((await runTask('demo-summary-1')).execution).to.deep.include({ kind: 'failed', retryable: false });
  });

  it('of benchmarks', async () => {
    expect((await runTask('bench-python-1', { parameters: { limit: 1_000, rounds: 1 } })).execution).to.deep.include({ kind: 'completed' });
    expect((await runTask('bench-node-1', { parameters: { size: 1_000, rounds: 1 } })).execution).to.deep.include({ kind: 'completed' });
  });
});
