/** Reads what recorder.mjs and task.sh wrote. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { Operation, Outcome, Report } from '../clients/history.js';
import type { Run } from './evidence.js';

interface Invoke {
  readonly at: number;
  readonly call: string;
  readonly type: 'invoke';
  readonly path: string;
  readonly session: string | null;
  readonly attempt: number;
  readonly body: Record<string, unknown> | null;
}

interface Answered {
  readonly at: number;
  readonly call: string;
  readonly type: 'answer';
  readonly status: number;
  readonly answer: Record<string, unknown> | null;
}

/** A report among many. */
interface OneOfMany {
  readonly task_id: string;
  readonly attempt: number;
  readonly outcome: Report['how'];
  readonly result?: unknown;
}

const HOW: Readonly<Record<string, Report['how']>> = { complete: 'completed', fail: 'failed', release: 'released' };

/** The operations of one worker host. A line that a kill has cut off stands for nothing. */
export function operationsOf(host: string, text: string): Operation[] {
  const lines = text.split('\n').flatMap((line): (Invoke | Answered)[] => {
    try {
      return [JSON.parse(line) as Invoke | Answered];
    } catch {
      return [];
    }
  });
  const answers = new Map(lines.flatMap((line) => (line.type === 'answer' ? [[line.call, line] as const] : [])));
  return lines.flatMap((line) => (line.type === 'invoke' ? operationsIn(host, line, answers.get(line.call)) : []));
}

/** One call; each of many tasks that it claims, or ends, counts as if it had been claimed or ended alone. */
function operationsIn(client: string, { at, path, session, attempt, body }: Invoke, answered: Answered | undefined): Operation[] {
  const result: Outcome = answered === undefined || answered.status >= 500 ? 'unknown' : answered.status < 400 ? 'ok' : 'fail';
  const answer = result === 'ok' ? (answered?.answer ?? null) : null;
  const code = result === 'fail' ? ((answered?.answer?.['code'] as string | undefined) ?? String(answered?.status)) : null;
  const noted = { client, began: at, ended: answered?.at ?? null, result, code };
  const [, taskId = '', verb = ''] = /\/tasks\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const how = HOW[verb];
  if (path.endsWith('/register')) return [{ ...noted, verb: 'register', workerId: (answer?.['id'] as string | undefined) ?? null, session: (answer?.['session'] as string | undefined) ?? null }];
  if (path.endsWith('/claim') || path.endsWith('/claim-batch')) {
    const tasks = answer === null ? [] : ((answer['tasks'] ?? [answer]) as { id: string; attempt: number }[]);
    const asked = { ...noted, verb: 'claim', session: session ?? '', requestId: (body?.['request_id'] as string | undefined) ?? null } as const;
    return tasks.length === 0 ? [{ ...asked, claimed: null }] : tasks.map((task) => ({ ...asked, claimed: { taskId: task.id, attempt: task.attempt } }));
  }
  const [, ofTask, query] = /\/tasks\/([^/]+)\/artifacts\?(.*)$/.exec(path) ?? [];
  if (ofTask !== undefined) {
    return [{
      ...noted, verb: 'upload', session: session ?? '', taskId: ofTask, attempt, name: new URLSearchParams(query).get('name') ?? '', sha256: null,
      isWhole: true, artifactId: (answer?.['id'] as string | undefined) ?? null,
    }];
  }
  if (path.endsWith('/report')) {
    const answers = (answer?.['reports'] ?? []) as { accepted: boolean; problem?: string }[];
    return ((body?.['reports'] ?? []) as OneOfMany[]).map(({ task_id, attempt: own, outcome, result: its, ...rest }, n): Report => {
      const one = answers[n];
      const refused = one?.accepted === false ? { result: 'fail' as const, code: one.problem ?? 'unknown' } : {};
      return { ...noted, ...refused, verb: 'report', how: outcome, session: session ?? '', taskId: task_id, attempt: own, body: its ?? rest };
    });
  }
  if (how !== undefined) return [{ ...noted, verb: 'report', how, session: session ?? '', taskId, attempt, body }];
  const entries = (body?.['entries'] ?? []) as { message: string }[];
  return [{ ...noted, verb: 'logs', session: session ?? '', taskId, attempt, offset: Number(body?.['offset'] ?? 0), messages: entries.map(({ message }) => message) }];
}

/** What really ran. */
export async function readRuns(folder: string, clock: Clock): Promise<Run[]> {
  const runs: Run[] = [];
  for (const name of await readdir(folder)) {
    const [taskId = '', attempt = '', host = ''] = name.split('.');
    const said = (await readFile(join(folder, name), 'utf8')).split('\n').flatMap((line) => {
      const [word = '', seconds = ''] = line.split(' ');
      return seconds === '' ? [] : [{ word, at: clock.ofUptime(Number(seconds)) }];
    });
    const [first] = said;
    const last = said.at(-1);
    if (first !== undefined && last !== undefined) runs.push({ taskId, attempt: Number(attempt), host, began: first.at, lastSeen: last.at, ended: last.word === 'end' });
  }
  return runs;
}
