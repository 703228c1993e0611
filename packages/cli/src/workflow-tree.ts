/**
 * A workflow as a tree. Each task stands once: under that of the tasks it depends on which is the last in line, so that it comes after
 * all of them; the others are named beside it. Pure.
 */
import type { components } from '@task-executor/shared';

type WorkflowTask = components['schemas']['Workflow']['tasks'][number];

export interface TreeRow {
  /** The lines of the drawing that lead to the task; empty for one that depends on nothing. */
  readonly prefix: string;
  readonly task: WorkflowTask;
  /** The names of the tasks that it depends on, but for the one that it stands under. */
  readonly also: readonly string[];
}

const LAST = '└─ ';

/** The rows from the top on; tasks without dependencies are in the order of the workflow. Dependencies outside of it are not drawn. */
export function treeOf(tasks: readonly WorkflowTask[]): TreeRow[] {
  const depth = depthsOf(tasks);
  const children = new Map<string, WorkflowTask[]>();
  const roots: WorkflowTask[] = [];
  for (const task of tasks) {
    const parent = parentOf(task, depth);
    const siblings = parent === null ? roots : (children.get(parent) ?? []);
    siblings.push(task);
    if (parent !== null) children.set(parent, siblings);
  }
  const rows: TreeRow[] = [];
  // Without recursion: a chain may be 2,000 tasks long.
  const open = roots.map((task) => ({ task, lead: '', branch: '' })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { task, lead, branch } = next;
    const under = parentOf(task, depth);
    rows.push({ prefix: lead + branch, task, also: task.depends_on.map(({ name }) => name).filter((name) => name !== under) });
    const inner = children.get(task.name) ?? [];
    const innerLead = lead + (branch === '' ? '' : branch === LAST ? '   ' : '│  ');
    open.push(...inner.map((child, n) => ({ task: child, lead: innerLead, branch: n === inner.length - 1 ? LAST : '├─ ' })).reverse());
  }
  return rows;
}

/** The length of the longest way to each task. The API has refused circles. */
function depthsOf(tasks: readonly WorkflowTask[]): Map<string, number> {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const depth = new Map<string, number>();
  for (const start of tasks) {
    const open = [start];
    for (let task = open.at(-1); task !== undefined; task = open.at(-1)) {
      if (depth.has(task.name)) {
        open.pop();
        continue;
      }
      const parents = task.depends_on.map(({ name }) => byName.get(name)).filter((parent) => parent !== undefined);
      const unknown = parents.filter(({ name }) => !depth.has(name));
      if (unknown.length === 0) {
        depth.set(task.name, Math.max(-1, ...parents.map(({ name }) => depth.get(name) ?? 0)) + 1);
        open.pop();
      } else {
        open.push(...unknown);
      }
    }
  }
  return depth;
}

/** The name of the deepest task that `task` depends on: the one that it stands under. */
function parentOf(task: WorkflowTask, depth: ReadonlyMap<string, number>): string | null {
  let deepest: string | null = null;
  for (const { name } of task.depends_on) {
    const here = depth.get(name);
    if (here !== undefined && (deepest === null || here > (depth.get(deepest) ?? 0))) deepest = name;
  }
  return deepest;
}
