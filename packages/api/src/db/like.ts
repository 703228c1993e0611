/** Globs in SQL. */

/** The pattern of LIKE that matches what `glob` does. */
export function likePattern(glob: string): string {
  return glob.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%').replaceAll('?', '_');
}
