/** Every kind of executor that a catalog can name. A new one is a file and a line here. */
import { commandKind } from './command.js';
import { containerKind } from './container.js';
import { httpKind } from './http.js';
import type { ExecutorKind } from './kind.js';
import { moduleKind } from './module.js';
import { simulatedKind } from './simulated.js';

export const EXECUTOR_KINDS = {
  command: commandKind,
  module: moduleKind,
  http: httpKind,
  container: containerKind,
  simulated: simulatedKind,
} as const satisfies Record<string, ExecutorKind>;

export type KindName = keyof typeof EXECUTOR_KINDS;

export const KIND_NAMES = Object.keys(EXECUTOR_KINDS) as KindName[];

/** The kinds that `entry` of a catalog names: exactly one, once its file was checked. */
export function kindsIn(entry: object): KindName[] {
  return KIND_NAMES.filter((name) => name in entry);
}
