/** Following a task: its log as it comes, its progress, and its end. */
import { mayPass, type components, type LogLevel, type TaskEvent } from '@task-executor/shared';
import { defined } from './defined.js';
import type { Invocation } from './invocation.js';
import { renderLogLine } from './output/log-lines.js';
import { sayProgress } from './output/tasks.js';
import type { Terminal } from './output/terminal.js';

type Schemas = components['schemas'];
type Task = Schemas['Task'];
type LogLine = Schemas['LogLine'];

const PAGE_LINES = 1_000;

export interface LogFilter {
  readonly level?: LogLevel;
  readonly attempt?: number;
}

/** How lines are written: as JSON, for people, or as the task wrote them. */
export type LogStyle = 'json' | 'people' | 'raw';

/** Writes the lines that are there. */
export async function writeLog({ client, terminal }: Invocation, taskId: string, filter: LogFilter, style: LogStyle): Promise<void> {
  for (let cursor: string | undefined; ;) {
    const page: Schemas['TaskLogPage'] = await client.getLogs(taskId, { ...filter, limit: PAGE_LINES, ...defined({ cursor }) });
    for (const line of page.logs) await writeLine(terminal, line, style);
    if (!page.has_more) return;
    cursor = page.next_cursor;
  }
}

/** Writes the lines that are there and those that come, and shows how far the task is. Returns it, when it has ended. */
export function followLog(invocation: Invocation, taskId: string, { level, attempt }: LogFilter, style: LogStyle): Promise<Task> {
  return follow(invocation, taskId, { logs: true, ...defined({ level }) }, async (event) => {
    const isWanted = event.event === 'log' && (attempt === undefined || event.data.attempt === attempt);
    if (isWanted) await writeLine(invocation.terminal, event.data, style);
    showEvent(invocation.terminal, taskId, event);
  });
}

/** Shows how far the task is. Returns it, when it has ended. */
export function followProgress(invocation: Invocation, taskId: string): Promise<Task> {
  return follow(invocation, taskId, {}, (event) => {
    showEvent(invocation.terminal, taskId, event);
  });
}

/** Gives every event to `onEvent`, from the beginning on and each once; goes on where a stream ended before the task. */
async function follow(
  invocation: Invocation,
  taskId: string,
  options: { logs?: boolean; level?: LogLevel },
  onEvent: (event: TaskEvent) => Promise<void> | void,
): Promise<Task> {
  const { client, terminal, interrupted } = invocation;
  let lastEventId: string | undefined;
  for (;;) {
    // Says at once where there is no such task, or no API; later, waits for an API that has gone away.
    await client.getTask(taskId);
    invocation.bePatient();
    try {
      for await (const event of client.followTask(taskId, { ...options, ...defined({ lastEventId }) })) {
        await onEvent(event);
        lastEventId = event.id;
      }
      break;
    } catch (error) {
      if (interrupted.aborted || !mayPass(error)) throw error;
    }
  }
  terminal.endBar();
  return client.getTask(taskId);
}

function showEvent(terminal: Terminal, taskId: string, event: TaskEvent): void {
  if (event.event === 'status') terminal.bar(`${taskId} is ${event.data.status}`);
  if (event.event === 'progress') terminal.bar(sayProgress(event.data), event.data.step ?? undefined, event.data.total ?? undefined);
}

async function writeLine(terminal: Terminal, line: LogLine, style: LogStyle): Promise<void> {
  if (style === 'json') await terminal.jsonLine(line);
  else if (style === 'raw') await terminal.write(`${line.message}\n`);
  else await terminal.write(renderLogLine(line, terminal.colours));
}
