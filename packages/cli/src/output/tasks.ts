/** Tasks as people see them: a row of a table, or all fields. */
import type { components } from '@task-executor/shared';
import { ago, duration, lasted, relative } from '../text/time.js';
import type { Colour } from './colours.js';
import type { Cell, Fields, TableStyle } from './table.js';

type Task = components['schemas']['Task'];

const STATUS_COLOURS: Record<string, Colour> = {
  running: 'cyan', completed: 'green', failed: 'red', timeout: 'magenta', cancelled: 'yellow',
  lost: 'magenta', released: 'gray', busy: 'cyan', idle: 'green', offline: 'gray',
};

/** A status or outcome in its colour. */
export function statusCell(status: string): Cell {
  return { text: status, colour: STATUS_COLOURS[status] };
}

/** Reasons that add nothing to the status. */
const PLAIN_REASONS = new Set<string>(['task_failed', 'timed_out', 'cancel_requested']);

/** A status with its reason. */
export function statusWithReason({ status, reason }: Pick<Task, 'status' | 'reason'>): Cell {
  const cell = statusCell(status);
  return reason === null || PLAIN_REASONS.has(reason) ? cell : { ...cell, text: `${status} (${reason.replaceAll('_', ' ')})` };
}

/** A table of tasks; the name of one that has a name stands with its problem. */
export const TASKS: TableStyle<Task> = {
  columns: [
    { title: 'ID' }, { title: 'STATUS' }, { title: 'PROBLEM', gives: true }, { title: 'WORKER' }, { title: 'SUBMITTED' },
    { title: 'RAN', align: 'right' },
  ],
  rowOf: (task, now) => [
    task.id,
    statusWithReason(task),
    task.name === null ? task.problem_id : `${task.problem_id} (${task.name})`,
    task.worker_id ?? '-',
    ago(task.created_at, now),
    lasted(task.started_at, task.completed_at, now),
  ],
};

/** Everything about a task. */
export function taskFields(task: Task, now: number): Fields {
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
    ['labels', sayLabels(task.labels)],
    ['parameters', sayJson(task.parameters)],
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

/** The progress in words: `step 3 of 30, reading the logs (tokens 1,823)`; not made safe. */
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

/** Labels as they are typed; null where there are none. */
export function sayLabels(labels: Readonly<Record<string, string>>): string | null {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? null : pairs.join(', ');
}

/** An object as JSON; null where it is empty. */
export function sayJson(value: object): string | null {
  return Object.keys(value).length === 0 ? null : JSON.stringify(value);
}

/** A moment both ways: `3 min ago (2026-01-05T09:00:00.000Z)`. */
export function at(moment: string | null, now: number): string | null {
  return moment === null ? null : `${relative(moment, now)} (${moment})`;
}
