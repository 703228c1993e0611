/** Options that say what a task is like: of `submit` and `schedule create`. */
import { LIMITS, type components } from '@task-executor/shared';
import { Command, Option } from 'commander';
import { defined } from '../defined.js';
import { readObject } from './documents.js';
import { parseWholeSeconds } from './duration.js';
import { parseParameter, withParameters, type Parameter } from './parameters.js';
import { labelled, wholeNumber } from './values.js';

export interface TaskOptions {
  readonly param?: readonly Parameter[];
  readonly paramsFile?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly backend?: string;
  readonly timeout?: number;
  readonly maxAttempts?: number;
  readonly maxLost?: number;
}

export function addTaskOptions(command: Command): Command {
  const { minPriority, maxPriority, maxAttempts, maxLost } = LIMITS;
  return command
    .addOption(new Option(
      '-p, --param <key=value>', 'a parameter; JSON where it parses as JSON, else text; a.b=1 goes inside; may be repeated',
    ).argParser(parseParameter))
    .option('--params-file <file>', 'parameters from a YAML or JSON file, or from stdin (-); --param is set on top of them')
    .addOption(new Option('-l, --label <key=value>', 'a label, to find the task by; may be repeated').argParser(labelled))
    .option('--priority <number>', `${minPriority} to ${maxPriority}, higher goes first`, wholeNumber(minPriority, maxPriority))
    .option('--backend <type>', 'only workers with this backend may run it')
    .option('--timeout <duration>', 'how long an attempt may run: 90s, 30m, 2h', parseWholeSeconds)
    .option('--max-attempts <number>', 'how many attempts may fail before the task has', wholeNumber(1, maxAttempts))
    .option('--max-lost <number>', 'how many attempts may be lost with their worker before the task has failed', wholeNumber(1, maxLost));
}

/** The template that the options describe. */
export async function toTemplate(problem: string, options: TaskOptions): Promise<components['schemas']['TaskTemplate']> {
  const base = options.paramsFile === undefined ? {} : await readObject(options.paramsFile);
  return {
    problem_id: problem,
    parameters: withParameters(base, options.param ?? []),
    ...defined({
      labels: options.label && { ...options.label },
      priority: options.priority,
      backend_type: options.backend,
      timeout_seconds: options.timeout,
      retry: options.maxAttempts === undefined ? undefined : { max_attempts: options.maxAttempts },
      max_lost: options.maxLost,
    }),
  };
}
