/** Reading the log of a task: what is there, and what comes until the task has ended. */
import type { components, LogLevel } from '@task-executor/shared';
import type { Invocation } from './invocation.js';
import { renderLogLine } from './output/log-lines.js';
import { hasEnded, pause } from './waiting.js';

type Task = components['schemas']['Task'];
type LogLine = components['schemas']['LogLine'];

const PAGE_LINES = 1_000;
const POLL = { initialMs: 250, maxMs: 2_000 };

export interface LogFilter {
  readonly level?: LogLevel;
  readonly attempt?: number;
}

/** How lines are written: as JSON, for people, or as the task wrote them. */
export type LogStyle = 'json' | 'people' | 'raw';

/** Writes the lines that are there. Returns where the next ones begin. */
export async function writeLog(invocation: Invocation, taskId: string, filter: LogFilter, style: LogStyle, cursor?: string): Promise<string> {
  for (let after = cursor; ;) {
    const page = await invocation.client.getLogs(taskId, { ...filter, limit: PAGE_LINES, ...(after === undefined ? {} : { cursor: after }) });
    for (const line of page.logs) await writeLine(invocation, line, style);
    after = page.next_cursor;
    if (!page.has_more) return after;
  }
}

/** Writes the lines that are there and those that come. Returns the task, when it has ended. */
export async function followLog(invocation: Invocation, taskId: string, filter: LogFilter, style: LogStyle): Promise<Task> {
  let cursor: string | undefined;
  let quiet = 0;
  for (;;) {
    // In this order: what was logged before the end is there once the end is seen.
    const task = await invocation.client.getTask(taskId);
    invocation.bePatient();
    const before = cursor;
    cursor = await writeLog(invocation, taskId, filter, style, cursor);
    if (hasEnded(task)) return task;
    quiet = cursor === before ? quiet + 1 : 1;
    await pause(invocation, POLL, quiet, null);
  }
}

async function writeLine({ terminal }: Invocation, line: LogLine, style: LogStyle): Promise<void> {
  if (style === 'json') await terminal.jsonLine(line);
  else if (style === 'raw') await terminal.write(`${line.message}\n`);
  else await terminal.write(renderLogLine(line, terminal.colours));
}
