/**
 * Exponential backoff with full jitter, for callers of a service that is away. Of the variants compared in
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, full jitter spreads a herd best.
 */
export interface Backoff {
  /** The bound of the first wait, in milliseconds. */
  readonly initialMs: number;
  /** The bound of every wait, in milliseconds. */
  readonly maxMs: number;
}

/**
 * The time to wait, in milliseconds, after `failures` failures in a row (1 after the first). `random` is in [0, 1). Never below a tenth
 * of the bound, so that no caller spins.
 */
export function backoffMs({ initialMs, maxMs }: Backoff, failures: number, random: number): number {
  const exponent = Math.min(Math.max(failures, 1) - 1, 30);
  const bound = Math.min(maxMs, initialMs * 2 ** exponent);
  return bound * (0.1 + 0.9 * random);
}
