/** Parameters of a task from the command line: `steps=30`, `agent.model=small`, `name="007"`. */
import { InvalidArgumentError } from 'commander';

/** One `--param`: the names down to the value, and the value. */
export interface Parameter {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** The value of `text` where it is JSON, else the text itself; this also for a number that is too large to be held exactly. */
export function typed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'number' && !isExact(value) ? text : value;
  } catch {
    return text;
  }
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** The names in `a.b.c`; `\.` is a dot within a name. */
function namesIn(key: string): string[] {
  return key.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
}

/** Parses `key=value`; for commander, which collects what came `before`. */
export function parseParameter(text: string, before: readonly Parameter[] | undefined): Parameter[] {
  const at = text.indexOf('=');
  const path = namesIn(text.slice(0, Math.max(at, 0)));
  if (path.includes('')) throw new InvalidArgumentError('It must be KEY=VALUE, or KEY.KEY=VALUE.');
  if (path.includes('__proto__')) throw new InvalidArgumentError('__proto__ cannot be a key.');
  return [...(before ?? []), { path, value: typed(text.slice(at + 1)) }];
}

/** `base` with `parameters` set in it, in their order; `base` is left as it is. @throws InvalidArgumentError */
export function withParameters(base: Readonly<Record<string, unknown>>, parameters: readonly Parameter[]): Record<string, unknown> {
  const whole = structuredClone(base) as Record<string, unknown>;
  const set = new Set<string>();
  for (const { path, value } of parameters) {
    const name = path.join('.');
    if (set.has(name)) throw new InvalidArgumentError(`--param ${name} is given twice.`);
    set.add(name);
    let object = whole;
    for (const step of path.slice(0, -1)) {
      const inner = Object.hasOwn(object, step) ? object[step] : (object[step] = {});
      if (!isObject(inner)) throw new InvalidArgumentError(`--param ${name} goes into "${step}", which is no object.`);
      object = inner;
    }
    object[path.at(-1) ?? ''] = value;
  }
  return whole;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
