/**
 * A whole API in the test's process, over real HTTP and a database of its own. Every answer is checked against the contract,
 * problem documents and undeclared statuses too.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { pino, type Logger } from 'pino';
import { request } from 'undici';
import { parse } from 'yaml';
import { readConfig, type ApiConfig } from '../../src/config.js';
import { openDatabases, type Database } from '../../src/db/database.js';
import { startServer, type RunningServer, type ServerParts } from '../../src/server.js';
import { createTestDatabase } from './database.js';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  // The tests read whatever the operation answers; its shape has been checked against the contract.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Caller {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface TestApi extends Caller {
  readonly url: string;
  readonly db: Database;
  readonly databaseUrl: string;
  /** Starts another server on the same database, which it reaches at `databaseUrl`. */
  replica(environment?: Record<string, string>, databaseUrl?: string): Promise<RunningServer & Caller>;
  stop(): Promise<void>;
}

interface Contract {
  paths: Record<string, Record<string, { responses: Record<string, unknown> } | undefined>>;
}

const contract = parse(readFileSync(new URL('../../../../openapi.yaml', import.meta.url), 'utf8')) as Contract;
const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormatsModule as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addSchema(contract, 'contract');

function pointer(...parts: string[]): string {
  return `contract#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
}

function templateOf(path: string): string | undefined {
  const bare = path.split('?')[0] ?? '';
  const fits = (template: string): boolean => new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(bare);
  return Object.keys(contract.paths).find((one) => one === bare) ?? Object.keys(contract.paths).find(fits);
}

/** Throws where an answer is not one that the contract declares for its operation. */
export function checkAnswer(method: string, path: string, answer: Answer): void {
  const type = String(answer.headers['content-type'] ?? '').split(';')[0] ?? '';
  if (answer.status >= 400 && type === 'application/problem+json') {
    const validate = ajv.getSchema(pointer('components', 'schemas', 'Problem'));
    if (validate?.(answer.body) !== true) throw new Error(`not a problem document: ${JSON.stringify(validate?.errors)} ${JSON.stringify(answer.body)}`);
    // An error passes, also where what was asked for never changes.
    if (answer.headers['cache-control'] !== 'no-store') throw new Error(`${method} ${path}: a problem may be kept: ${String(answer.headers['cache-control'])}`);
  }
  const template = templateOf(path);
  const operation = template === undefined ? undefined : contract.paths[template]?.[method.toLowerCase()];
  if (template === undefined || operation === undefined) {
    if (answer.status !== 404 && answer.status !== 405) throw new Error(`${method} ${path} is not in the contract and gave ${answer.status}`);
    return;
  }
  if (!(String(answer.status) in operation.responses)) throw new Error(`${method} ${template} gave ${answer.status}, which the contract does not declare`);
  if (answer.status >= 400 || type !== 'application/json') return;
  const validate = ajv.getSchema(pointer('paths', template, method.toLowerCase(), 'responses', String(answer.status), 'content', type, 'schema'));
  if (validate?.(answer.body) !== true) {
    throw new Error(`${method} ${template} ${answer.status} does not fit: ${JSON.stringify(validate?.errors)} ${JSON.stringify(answer.body)}`);
  }
}

/** Calls the server at `url` and checks each answer against the contract. */
export function callerOf(url: string): Caller['call'] {
  return async (method, path, body, headers = {}) => {
    const response = await request(`${url}${path}`, {
      method: method as 'GET',
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    const json = /json(;|$)/.test(String(response.headers['content-type'] ?? '')) && !String(response.headers['content-type']).includes('ndjson');
    const answer: Answer = { status: response.statusCode, headers: response.headers, body: json ? JSON.parse(text) : text };
    checkAnswer(method, path, answer);
    return answer;
  };
}

/**
 * Starts an API without internal workers; `environment` overrides its configuration, and `settings` what came of it, beyond
 * what the environment may say.
 */
export async function startTestApi(
  environment: Record<string, string> = {},
  { heldBytes, ...settings }: Partial<ApiConfig> & Pick<ServerParts, 'heldBytes'> = {},
  log: Logger = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
): Promise<TestApi> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'task-executor-data-'));
  const start = (more: Record<string, string>, databaseUrl = database.url): Promise<RunningServer> =>
    startServer({
      config: {
        ...readConfig({ DATA_DIR: dataDir, PORT: '0', AUTO_START_WORKERS: 'false', NUM_INTERNAL_WORKERS: '0', GENERAL_POOL_SIZE: '4', LEASE_POOL_SIZE: '6', ...environment, ...more }),
        ...settings,
      },
      databaseUrl,
      log,
      heldBytes,
    });
  const server = await start({});
  const databases = openDatabases(database.url, { lease: 1, general: 4 }, log);
  const replicas: RunningServer[] = [];
  return {
    url: server.url,
    db: databases.general,
    databaseUrl: database.url,
    call: callerOf(server.url),
    replica: async (more = {}, databaseUrl = database.url) => {
      const another = await start(more, databaseUrl);
      replicas.push(another);
      return { ...another, call: callerOf(another.url) };
    },
    stop: async () => {
      for (const one of replicas) await one.stop();
      await server.stop();
      await databases.close();
      await database.drop();
      await rm(dataDir, { recursive: true });
    },
  };
}
