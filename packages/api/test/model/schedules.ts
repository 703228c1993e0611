/** The schedules of the model, and what becomes of a fire that is due. Pure. */
import type { Spec } from './task.js';

export type Overlap = 'allow' | 'skip';
export type Misfire = 'run_once' | 'skip';

export interface ModelSchedule {
  readonly id: string;
  /** Of every task that it submits. */
  readonly spec: Spec;
  cron: string;
  overlap: Overlap;
  misfire: Misfire;
  paused: boolean;
  /** The fire that is due, whether it was missed, and when that was decided; null: none is. */
  due: { readonly missed: boolean; readonly turn: number } | null;
  lastTask: string | null;
  fires: number;
  skips: number;
}

/** Null leaves a setting as it is. */
export type ScheduleChanges = { readonly [K in 'cron' | 'overlap' | 'misfire' | 'paused']: ModelSchedule[K] | null };

/** Those that fire in the next round, in their order: what was missed has been due longer. */
export function dueOf(schedules: readonly ModelSchedule[]): ModelSchedule[] {
  const key = ({ due }: ModelSchedule): number => (due?.turn ?? 0) - (due?.missed === true ? 1e6 : 0);
  return schedules.filter(({ due, paused }) => due !== null && !paused).sort((a, b) => key(a) - key(b));
}

/** Whether the fire submits; `overlaps`: the task of the fire before has not ended. */
export function submits({ due, misfire, overlap }: ModelSchedule, overlaps: boolean): boolean {
  return !(due?.missed === true && misfire === 'skip') && !(overlaps && overlap === 'skip');
}
