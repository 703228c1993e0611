/** Query strings as the contract has them: a list is one value with commas, but for `label`, which is repeated. */

const REPEATED = new Set(['label']);

export type QueryValue = string | number | boolean | readonly (string | number)[] | undefined;

/** The query string of `values`, such as `?a=1&b=x,y`; empty where there is none. Undefined values and empty lists are left out. */
export function toQuery(values: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values) as [string, QueryValue][]) {
    if (value === undefined) continue;
    if (typeof value !== 'object') parameters.append(name, String(value));
    else if (REPEATED.has(name)) for (const one of value) parameters.append(name, String(one));
    else if (value.length > 0) parameters.append(name, value.join(','));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
