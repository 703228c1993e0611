/**
 * Globs over problem ids: `*` is any run of characters, `?` is one. They are matched by two pointers in O(pattern x text), never by a
 * regular expression, so that no pattern that a user writes can make it slow.
 */

/** Whether the whole of `text` fits `glob`. */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let starAt = -1;
  let starText = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      starAt = g++;
      starText = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (starAt >= 0) {
      g = starAt + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** Whether a worker with these `globs` takes problem `problemId`; no globs means every problem. */
export function supportsProblem(globs: readonly string[], problemId: string): boolean {
  return globs.length === 0 || globs.some((glob) => matchesGlob(glob, problemId));
}
