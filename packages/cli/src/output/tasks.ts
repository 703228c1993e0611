/** Tasks as people see them: a row of a table, or all of one. */
import type { components } from '@task-executor/shared';
import { ago, duration, lasted, relative } from '../text/time.js';
import type { Colour } from './colours.js';
import type { Cell, Column } from './table.js';

type Task = components['schemas']['Task'];

const STATUS_COLOURS: Record<string, Colour> = {
  running: 'cyan', completed: 'green', failed: 'red', timeout: 'magenta', cancelled: 'yellow',
  lost: 'magenta', released: 'gray', busy: 'cyan', idle: 'green', offline: 'gray',
};

/** A status or outcome in its colour. */
export function statusCell(status: string): Cell {
  return { text: status, colour: STATUS_COLOURS[status] };
}

/** Reasons that say nothing which the status does not. */
const PLAIN_REASONS = new Set<string>(['task_failed', 'timed_out', 'cancel_requested']);

/** A status with why it is so. */
export function statusWithReason({ status, reason }: Pick<Task, 'status' | 'reason'>): Cell {
  return { text: reason === null || PLAIN_REASONS.has(reason) ? status : `${status} (${reason.replaceAll('_', ' ')})`, colour: STATUS_COLOURS[status] };
}

export const TASK_COLUMNS: readonly Column[] = [
  { title: 'ID' }, { title: 'STATUS' }, { title: 'PROBLEM', gives: true }, { title: 'WORKER' }, { title: 'SUBMITTED' }, { title: 'RAN', align: 'right' },
];

/** A row of TASK_COLUMNS; a name, where there is one, stands with the problem. */
export function taskRow(task: Task, now: number): Cell[] {
  return [
    { text: task.id },
    statusWithReason(task),
    { text: task.name === null ? task.problem_id : `${task.problem_id} (${task.name})` },
    { text: task.worker_id ?? '-' },
    { text: ago(task.created_at, now) },
    { text: lasted(task.started_at, task.completed_at, now) },
  ];
}

/** Everything about a task, for renderFields(). */
export function taskFields(task: Task, now: number): [string, Cell | string | null][] {
  const { max_attempts: attempts } = task;
  return [
    ['id', task.id],
    ['name', task.name],
    ['problem', task.problem_id],
    ['status', statusWithReason(task)],
    ['attempt', task.attempt === 0 ? null : `${task.attempt}${attempts > 1 ? ` (may fail ${attempts} times)` : ''}`],
    ['worker', task.worker_id],
    ['progress', task.progress === null ? null : sayProgress(task.progress)],
    ['priority', String(task.priority)],
    ['backend', task.backend_type],
    ['labels', shown(task.labels, (labels) => Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(', '))],
    ['parameters', shown(task.parameters, (parameters) => JSON.stringify(parameters))],
    ['submitted', at(task.created_at, now)],
    ['runs from', task.status === 'pending' ? at(task.run_at, now) : null],
    ['expires', task.status === 'pending' ? at(task.expires_at, now) : null],
    ['started', at(task.started_at, now)],
    ['ended', at(task.completed_at, now)],
    ['ran', task.started_at === null ? null : lasted(task.started_at, task.completed_at, now)],
    ['timeout', duration(task.timeout_seconds)],
    ['workflow', task.workflow_id],
    ['schedule', task.schedule_id],
    ['retry of', task.retry_of],
    ['reused from', task.reused_from],
    ['error', task.error_details === null ? null : { text: task.error_details, colour: 'red' }],
    ['result', task.result === null ? null : JSON.stringify(task.result)],
  ];
}

/** `step 3 of 30, reading the logs (tokens 1,823)`; not made safe. */
export function sayProgress({ step, total, message, metrics }: NonNullable<components['schemas']['TaskProgress']>): string {
  const parts = [
    step === null ? '' : `step ${number(step)}${total === null ? '' : ` of ${number(total)}`}`,
    message ?? '',
  ].filter((part) => part !== '');
  const numbers = Object.entries(metrics).map(([name, value]) => `${name} ${number(value)}`).join(', ');
  return `${parts.join(', ')}${numbers === '' ? '' : `${parts.length === 0 ? '' : ' '}(${numbers})`}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

function shown<T extends object>(value: T, text: (value: T) => string): string | null {
  return Object.keys(value).length === 0 ? null : text(value);
}

/** A moment both ways: `3 min ago (2026-01-05T09:00:00.000Z)`. */
export function at(moment: string | null, now: number): string | null {
  return moment === null ? null : `${relative(moment, now)} (${moment})`;
}
