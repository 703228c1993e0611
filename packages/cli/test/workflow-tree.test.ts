import { expect } from 'chai';
import { treeOf } from '../src/workflow-tree.js';

type Task = Parameters<typeof treeOf>[0][number];

function task(name: string, ...parents: string[]): Task {
  return {
    name, task_id: `id-${name}`, problem_id: 'test-a', status: 'pending', reason: null, retry_of: null,
    depends_on: parents.map((parent) => ({ name: parent, task_id: `id-${parent}` })),
  };
}

function draw(tasks: readonly Task[]): string[] {
  return treeOf(tasks).map(({ prefix, task: { name }, also }) => `${prefix}${name}${also.length === 0 ? '' : ` < ${also.join(', ')}`}`);
}

describe('the tree of a workflow', () => {
  it('has what depends on a task below it', () => {
    const tasks = [task('a'), task('b', 'a'), task('c', 'a'), task('d', 'b'), task('e')];
    expect(draw(tasks)).to.deep.equal(['a', '├─ b', '│  └─ d', '└─ c', 'e']);
  });

  it('has a task with several parents once, under the last in line of them', () => {
    const tasks = [
      task('prepare'), task('train', 'prepare'), task('check', 'prepare', 'train'), task('report', 'prepare', 'check', 'train'),
    ];
    expect(draw(tasks)).to.deep.equal(['prepare', '└─ train', '   └─ check < prepare', '      └─ report < prepare, train']);
  });

  it('does not draw what is outside of the workflow', () => {
    expect(draw([task('b', 'gone'), task('c', 'b', 'gone')])).to.deep.equal(['b < gone', '└─ c < gone']);
  });

  it('has every task once, also where 2,000 of them stand in a line or depend on hundreds', () => {
    const line = Array.from({ length: 2_000 }, (_, n) => (n === 0 ? task('0') : task(String(n), String(n - 1)))).reverse();
    expect(treeOf(line)).to.have.length(2_000);
    expect(treeOf(line).map((row) => row.task.name)).to.deep.equal(line.map(({ name }) => name).reverse());
    const first = Array.from({ length: 500 }, (_, n) => String(n));
    const layers = Array.from({ length: 1_000 }, (_, n) => task(String(n), ...(n < 500 ? [] : first)));
    expect(new Set(treeOf(layers).map((row) => row.task.name)).size).to.equal(1_000);
  });
});
