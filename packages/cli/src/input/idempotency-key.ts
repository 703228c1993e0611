/**
 * The key under which the API carries a request out once, however often it comes: the user's, or a new one. Where the answer is lost,
 * the user is told the key, to repeat the command with it.
 */
import { randomUUID } from 'node:crypto';
import type { IdempotencyKey } from '@task-executor/shared';
import type { Command } from 'commander';
import type { Invocation } from '../invocation.js';

export interface KeyOptions {
  readonly idempotencyKey?: string;
}

/** Adds the option. `again`: what the same command does with the same key. */
export function addKeyOption(command: Command, again: string): Command {
  return command.option('--idempotency-key <text>', `again with the same key, it ${again}`);
}

/**
 * The key of the request that comes next. A command that ends from now on, until it says otherwise, leaves open whether `happened`.
 * `fixed`: options to repeat the command with, since as they were given they would make it another request.
 */
export function keyFor(invocation: Invocation, options: KeyOptions, happened: string, fixed: readonly string[] = []): IdempotencyKey {
  const key = options.idempotencyKey ?? randomUUID();
  const goOn = [...fixed, `--idempotency-key ${key}`].join(' ');
  invocation.onInterrupt = () => `Whether ${happened} is not known. The same command with the same key does not do it twice: ${goOn}`;
  return key;
}
