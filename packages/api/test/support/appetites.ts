/** Appetites that count what they are compared with, for tests of what waiting claims cost. */
import type { Appetite } from '../../src/waiting/appetite.js';
import type { Leaving } from '../../src/waiting/waiter.js';

/** A caller who never leaves. */
export const NOBODY: Leaving = { gone: false, whenGone: () => undefined };

/** Adds one to `count.compared` each time that the globs are compared with a problem. */
export function countedAppetite(count: { compared: number }, ...globs: string[]): Appetite {
  const counting = [...globs];
  counting.some = (test) => {
    count.compared += 1;
    return globs.some(test);
  };
  return { globs: counting, backendType: 'kind' };
}
