/** An API replica: as it is built, without internal workers, on a port that it takes anew with every start. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../network/proxy.js';
import { HEARTBEAT_SECONDS, LEASE_SECONDS, SWEEP_MS } from '../settings.js';
import type { Undo } from '../undo.js';
import { Host } from './host.js';
import { Program } from './program.js';

const PROBE_MS = 500;
const PROBE_TIMEOUT_MS = 1_500;
const FAILURES_UNTIL_DOWN = 2;

export interface ApiOptions {
  readonly name: string;
  /** Where its host is made. */
  readonly folder: string;
  /** The built entry of the API, or of a copy of it. */
  readonly main: string;
  readonly databaseUrl: string;
  /** Where it keeps artifacts, shared by all replicas; without it, a folder of its own. */
  readonly artifactsFolder?: string;
  readonly leaseSeconds?: number;
  readonly undo: Undo;
}

export class Api {
  readonly program: Program;
  readonly host: Host;
  readonly #logFile: string;
  #target: Target | null = null;
  #failures = FAILURES_UNTIL_DOWN;
  #stopped = false;

  private constructor(host: Host, { name, main, databaseUrl, undo, artifactsFolder, leaseSeconds = LEASE_SECONDS }: ApiOptions) {
    this.host = host;
    this.#logFile = join(host.folder, 'api.log');
    this.program = new Program({
      name, args: [main, 'serve'], logFile: this.#logFile,
      env: host.environment([], {
        DATABASE_URL: databaseUrl, DATA_DIR: join(host.folder, 'data'), HOST: '127.0.0.1', PORT: '0', NUM_INTERNAL_WORKERS: '0',
        ...(artifactsFolder === undefined ? {} : { ARTIFACTS_URL: `file:${artifactsFolder}` }),
        LEASE_SECONDS: String(leaseSeconds), HEARTBEAT_INTERVAL_SECONDS: String(HEARTBEAT_SECONDS), SWEEP_INTERVAL_MS: String(SWEEP_MS),
      }),
    }, undo);
    undo.add(() => {
      this.#stopped = true;
    });
    void this.#probe();
  }

  static async make(options: ApiOptions): Promise<Api> {
    return new Api(await Host.make(join(options.folder, options.name)), options);
  }

  /** Where it listens; null while it is down, as a load balancer finds out. */
  get target(): Target | null {
    return this.#failures < FAILURES_UNTIL_DOWN ? this.#target : null;
  }

  async up(): Promise<void> {
    while (this.target === null) await sleep(50);
  }

  async #probe(): Promise<void> {
    while (!this.#stopped) {
      const target = await this.#listening();
      if (target?.port !== this.#target?.port) this.#target = target;
      const ready = target !== null && await fetch(`http://127.0.0.1:${target.port}/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
        .then(async (answer) => {
          await answer.arrayBuffer();
          return answer.ok;
        }, () => false);
      this.#failures = ready ? 0 : this.#failures + 1;
      await sleep(ready ? PROBE_MS : 100);
    }
  }

  /** What the last start said. */
  async #listening(): Promise<Target | null> {
    if (!existsSync(this.#logFile)) return null;
    const said = (await readFile(this.#logFile, 'utf8')).split('\n').filter((line) => line.includes('"listening"')).at(-1);
    if (said === undefined) return null;
    return { port: Number(new URL((JSON.parse(said) as { url: string }).url).port) };
  }
}
