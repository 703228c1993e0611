/**
 * The built-in executor of `test-*` problems: steps through `max_steps` (30) in `duration_seconds` (2), logs each step, and
 * completes, or fails at the end where `fail` is true. Without steps it does nothing. It is what a new installation is tried with.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Execution, ExecutionContext } from './executor.js';
import type { ExecutorKind } from './kind.js';

const DEFAULT_STEPS = 30;
const DEFAULT_SECONDS = 2;
const MAX_STEPS = 10_000;
const MAX_SECONDS = 7 * 24 * 3600;

interface Plan {
  readonly steps: number;
  readonly seconds: number;
  readonly failure: string | null;
}

/** The plan that the parameters ask for, or what is wrong with them. */
export function planOf(parameters: Record<string, unknown>): Plan | string {
  const { max_steps: steps = DEFAULT_STEPS, duration_seconds: seconds = DEFAULT_SECONDS, fail = false, error } = parameters;
  if (typeof steps !== 'number' || !Number.isInteger(steps) || steps < 0 || steps > MAX_STEPS) {
    return `max_steps must be a whole number from 0 to ${MAX_STEPS}`;
  }
  if (typeof seconds !== 'number' || seconds < 0 || seconds > MAX_SECONDS) return `duration_seconds must be a number from 0 to ${MAX_SECONDS}`;
  if (typeof fail !== 'boolean') return 'fail must be true or false';
  if (error !== undefined && (typeof error !== 'string' || error === '')) return 'error must be a text';
  return { steps, seconds, failure: fail ? (error ?? 'the task was asked to fail') : null };
}

export async function simulate({ task, signal, log }: ExecutionContext): Promise<Execution> {
  const plan = planOf(task.parameters);
  if (typeof plan === 'string') return { kind: 'failed', error: `the parameters do not fit: ${plan}` };
  const began = performance.now();
  for (let step = 1; step <= plan.steps; step++) {
    // Against the clock rather than a fixed pause, so that slow log calls do not stretch the whole.
    const due = began + (plan.seconds * 1000 * step) / plan.steps;
    try {
      await sleep(Math.max(0, due - performance.now()), undefined, { signal });
    } catch {
      return { kind: 'failed', error: `stopped at step ${step} of ${plan.steps}` };
    }
    await log('info', `step ${step} of ${plan.steps}`, { step });
  }
  if (plan.failure !== null) return { kind: 'failed', error: plan.failure };
  return {
    kind: 'completed',
    result: {
      success: true,
      output: `done in ${plan.steps} steps`,
      metrics: { duration_seconds: Math.round(performance.now() - began) / 1000, steps_taken: plan.steps },
    },
  };
}

export const simulatedKind: ExecutorKind = {
  schema: { const: true },
  isLimited: false,
  make: () => ({ executor: simulate, fault: () => Promise.resolve(null) }),
};
