/** Every kind of executor that a catalog can name. A new one is a file and a line here. */
import { commandKind } from './command.js';
import { containerKind } from './container.js';
import { httpKind } from './http.js';
import type { ExecutorKind } from './kind.js';
import { moduleKind } from './module.js';
import { simulatedKind } from './simulated.js';

export const EXECUTOR_KINDS: Readonly<Record<string, ExecutorKind>> = {
  command: commandKind,
  module: moduleKind,
  http: httpKind,
  container: containerKind,
  simulated: simulatedKind,
};
