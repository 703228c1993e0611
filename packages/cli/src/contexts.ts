/**
 * Where the API is: an option says so, the environment, or a context, which is a name for an address, kept in a file of the user
 * (`$XDG_CONFIG_HOME/task-executor/config.json`). Options win over the environment, and that over the file: --api-url, --context,
 * TASK_EXECUTOR_URL, TASK_EXECUTOR_PROFILE, the context in use, the address of `npm start`.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import { InvalidArgumentError } from 'commander';
import { EXIT, Failure } from './exit.js';
import { isObject } from './input/parameters.js';
import { parseApiUrl } from './input/values.js';

export const DEFAULT_URL = 'http://127.0.0.1:8000';
const CONTEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

export interface Contexts {
  /** The context in use; null: none. */
  readonly current: string | null;
  readonly urls: Readonly<Record<string, string>>;
}

export interface ApiAddress {
  readonly url: string;
  /** What named the address, in words. */
  readonly from: string;
}

export function contextsPath(environment: NodeJS.ProcessEnv): string {
  const given = environment['XDG_CONFIG_HOME'] ?? '';
  // A relative path there is to be ignored: https://specifications.freedesktop.org/basedir-spec/
  return join(isAbsolute(given) ? given : join(homedir(), '.config'), 'task-executor', 'config.json');
}

/** The contexts in the file; none where there is no file. @throws Failure where it is not as writeContexts() leaves it */
export async function readContexts(path: string): Promise<Contexts> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, urls: {} };
    throw new Failure(EXIT.usage, `${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    const { current, contexts } = JSON.parse(text) as { current: unknown; contexts: unknown };
    if ((current !== null && typeof current !== 'string') || !isObject(contexts)) throw new Error('it must hold "current" and "contexts"');
    const urls = Object.entries(contexts).map(([name, context]) =>
      [checkName(name), parseApiUrl(String(isObject(context) ? context['url'] : ''))] as const);
    return { current, urls: Object.fromEntries(urls) };
  } catch (error) {
    throw new Failure(EXIT.usage, `${path} is not as it must be: ${(error as Error).message} Correct or delete it.`);
  }
}

/** Replaces the file as a whole, so that nobody reads half of it. */
export async function writeContexts(path: string, { current, urls }: Contexts): Promise<void> {
  const contexts = Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { url }]));
  await makeFolder(dirname(path));
  const next = `${path}.${process.pid}`;
  await writeFile(next, `${JSON.stringify({ current, contexts }, null, 2)}\n`);
  await rename(next, path);
}

/** The name, where it can be one of a context. @throws InvalidArgumentError */
export function checkName(name: string): string {
  if (!CONTEXT_NAME.test(name)) throw new InvalidArgumentError('The name of a context is letters, digits, _ . and -, at most 63.');
  return name;
}

/** The address to call. @throws Failure */
export async function resolveAddress(options: { apiUrl?: string; context?: string }, environment: NodeJS.ProcessEnv): Promise<ApiAddress> {
  if (options.apiUrl !== undefined) return { url: options.apiUrl, from: '--api-url' };
  const url = environment['TASK_EXECUTOR_URL'] ?? '';
  if (options.context === undefined && url !== '') {
    try {
      return { url: parseApiUrl(url), from: 'TASK_EXECUTOR_URL' };
    } catch (error) {
      throw new Failure(EXIT.usage, `TASK_EXECUTOR_URL is "${url}". ${(error as Error).message}`);
    }
  }
  const path = contextsPath(environment);
  const { current, urls } = await readContexts(path);
  const named = options.context ?? (environment['TASK_EXECUTOR_PROFILE'] || null);
  const name = named ?? current;
  if (name === null) return { url: DEFAULT_URL, from: 'the default' };
  if (!Object.hasOwn(urls, name)) {
    throw new Failure(EXIT.usage, `There is no context "${name}" in ${path}; \`task-executor context list\` shows those that are there.`);
  }
  return { url: urls[name] ?? '', from: `context ${name}` };
}
