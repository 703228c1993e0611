/** The environment of a program: built from nothing, from a list of names and what the catalog and the worker set. */

const ALWAYS_INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'];

/** `names` and the usual ones from the worker's environment, then what is `set`; later ones win. */
export function environmentOf(names: readonly string[], ...set: Readonly<Record<string, string>>[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of [...ALWAYS_INHERITED, ...names]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return Object.assign(environment, ...set) as Record<string, string>;
}
