/** Short words for reading exports. */
import { expect } from 'chai';
import { eventually } from './actors.js';
import type { Caller } from './api.js';

export interface Line {
  type: 'task' | 'attempt' | 'log';
  cursor?: string;
  task?: { id: string; status: string; completed_at: string | null };
  task_id?: string;
  attempt?: { attempt: number; outcome: string; late: unknown };
  line?: { task_id: string; message: string };
}

export async function readExport(api: Caller, query = ''): Promise<Line[]> {
  const { status, headers, body } = await api.call('GET', `/api/v1/tasks/export?${query}`);
  expect(status, query).to.equal(200);
  expect(headers['content-type']).to.match(/^application\/x-ndjson/);
  const text = body as string;
  expect(text === '' || text.endsWith('\n')).to.equal(true);
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

export const idsOf = (lines: readonly Line[]): string[] => lines.flatMap(({ task }) => (task === undefined ? [] : [task.id]));

/** What goes on after the last of `lines`, as a part of a query. */
export function cursorAfter(lines: readonly Line[]): string {
  const cursor = lines.at(-1)?.cursor;
  return cursor === undefined ? '' : `&cursor=${cursor}`;
}

/** Reads on, after `before`, until nothing more comes and `isComplete` is true: what came last may still be too new. */
export async function followExport(
  api: Caller, query: string, isComplete: (ids: string[]) => boolean, before: readonly Line[] = [],
): Promise<Line[]> {
  const all: Line[] = [];
  await eventually(async () => {
    const lines = await readExport(api, `${query}${cursorAfter(all.length === 0 ? before : all)}`);
    all.push(...lines);
    return lines.length === 0 && isComplete(idsOf(all));
  }, 60_000);
  return all;
}

export async function submitMany(api: Caller, count: number, task: Record<string, unknown>): Promise<string[]> {
  const { body } = await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: count }, () => task) });
  return (body as { tasks: { id: string }[] }).tasks.map(({ id }) => id);
}
