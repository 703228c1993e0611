/** Options that say which tasks are meant: of `list`, `export`, `cancel` and `retry`. */
import { TASK_STATUSES, type components, type operations, type TaskStatus } from '@task-executor/shared';
import { Command, Option } from 'commander';
import { defined } from '../defined.js';
import { parseMoment } from './duration.js';
import { chosen, labelled } from './values.js';

export interface FilterOptions {
  readonly status?: readonly TaskStatus[];
  readonly problem?: string;
  readonly worker?: string;
  readonly workflow?: string;
  readonly schedule?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly since?: string;
  readonly before?: string;
  readonly endedSince?: string;
  readonly endedBefore?: string;
}

export function addFilterOptions(command: Command): Command {
  return command
    .addOption(statusOption())
    .option('--problem <id or glob>', 'only tasks of this problem, or of those that the glob fits (quote it)')
    .option('--worker <id>', 'only tasks that run on this worker or ended on it')
    .option('--workflow <id>', 'only tasks of this workflow')
    .option('--schedule <id>', 'only tasks that this schedule submitted')
    .addOption(new Option('-l, --label <key=value>', 'only tasks with this label; may be repeated').argParser(labelled))
    .option('--since <time>', 'only tasks submitted at this time or later: 2026-01-05T09:00:00Z, or 2h for two hours ago', parseMoment)
    .option('--before <time>', 'only tasks submitted before this time', parseMoment)
    .option('--ended-since <time>', 'only tasks that ended at this time or later', parseMoment)
    .option('--ended-before <time>', 'only tasks that ended before this time', parseMoment);
}

function statusOption(): Option {
  const option = new Option('--status <statuses>', 'only tasks in these statuses; with commas, or repeated');
  option.argParser(chosen(TASK_STATUSES));
  // For the help and the completion. Not by choices(), which would judge the value, and knows no commas.
  option.argChoices = [...TASK_STATUSES];
  return option;
}

/** The options for moments, as moments: those that were given as durations would be others the next time. */
export function fixedTimes({ since, before, endedSince, endedBefore }: FilterOptions): string[] {
  const times = { '--since': since, '--before': before, '--ended-since': endedSince, '--ended-before': endedBefore };
  return Object.entries(times).flatMap(([option, time]) => (time === undefined ? [] : [`${option} ${time}`]));
}

/** Whether the options ask for anything at all. */
export function isFiltered(options: FilterOptions): boolean {
  return Object.keys(toBulkFilter(options)).length > 0;
}

/** The filter as the query of a list or an export. */
export function toQueryFilter(options: FilterOptions): NonNullable<operations['exportTasks']['parameters']['query']> {
  const { labels, ...rest } = toBulkFilter(options);
  return { ...rest, ...defined({ label: labels && Object.entries(labels).map(([key, value]) => `${key}=${value}`) }) };
}

/** The filter as the body of a bulk operation. */
export function toBulkFilter(options: FilterOptions): components['schemas']['TaskFilter'] {
  const glob = options.problem !== undefined && /[*?]/.test(options.problem);
  return defined({
    status: options.status && [...options.status],
    problem_id: glob ? undefined : options.problem,
    problem_glob: glob ? options.problem : undefined,
    worker_id: options.worker,
    workflow_id: options.workflow,
    schedule_id: options.schedule,
    labels: options.label && { ...options.label },
    created_from: options.since,
    created_before: options.before,
    completed_from: options.endedSince,
    completed_before: options.endedBefore,
  });
}
