/**
 * The key under which the API takes a request once, however often it comes: chosen by the user, or made anew. Where the answer was
 * lost, the user is told it, to go on with.
 */
import { randomUUID } from 'node:crypto';
import type { IdempotencyKey } from '@task-executor/shared';
import type { Command } from 'commander';
import type { Invocation } from '../invocation.js';

export interface KeyOptions {
  readonly idempotencyKey?: string;
}

/** `again`: what comes of the same command with the same key. */
export function addKeyOption(command: Command, again: string): Command {
  return command.option('--idempotency-key <text>', `again with the same key, it ${again}`);
}

/**
 * To be called right before the request: an end from now on, until the command says otherwise, leaves open whether `happened`.
 * `fixed`: options that would be another request if they were given as they were.
 */
export function keyFor(invocation: Invocation, options: KeyOptions, happened: string, fixed: readonly string[] = []): IdempotencyKey {
  const key = options.idempotencyKey ?? randomUUID();
  const goOn = [...fixed, `--idempotency-key ${key}`].join(' ');
  invocation.onInterrupt = () => `Whether ${happened} is not known. The same command with the same key does not do it twice: ${goOn}`;
  return key;
}
