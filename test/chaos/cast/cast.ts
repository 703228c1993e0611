/** Everybody on the stage: PostgreSQL, API replicas and workers, and a proxy on every way between them and to our clients. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Proxy, type ProxyCounts, type Target } from '../network/proxy.js';
import { REPLICAS, SMALL_DISKS, WORKERS } from '../settings.js';
import type { Undo } from '../undo.js';
import { Api } from './api.js';
import { Postgres } from './postgres.js';
import { Worker } from './worker.js';

export interface Proxies {
  readonly worker: Proxy[];
  readonly client: Proxy[];
  readonly database: Proxy[];
}

export interface CastOptions {
  readonly folder: string;
  /** The built entry of the API. */
  readonly apiMain: string;
  readonly replicas?: number;
  readonly workers?: number;
  readonly undo: Undo;
}

export class Cast {
  readonly postgres: Postgres;
  readonly replicas: readonly Api[];
  readonly workers: Worker[] = [];
  readonly proxies: Proxies;
  readonly runsFolder: string;
  readonly undo: Undo;
  readonly #folder: string;
  #next = 0;

  private constructor(parts: { postgres: Postgres; replicas: readonly Api[]; proxies: Proxies; folder: string; undo: Undo }) {
    this.postgres = parts.postgres;
    this.replicas = parts.replicas;
    this.proxies = parts.proxies;
    this.runsFolder = join(parts.folder, 'runs');
    this.undo = parts.undo;
    this.#folder = parts.folder;
  }

  /** Starts PostgreSQL and the API, then the workers, and resolves when every replica answers. */
  static async start({ folder, apiMain, replicas = REPLICAS, workers = WORKERS, undo }: CastOptions): Promise<Cast> {
    const postgres = await Postgres.start(folder, undo);
    const proxies: Proxies = { worker: [], client: [], database: [] };
    const apis: Api[] = [];
    for (let n = 1; n <= replicas; n++) {
      const name = `api-${n}`;
      const proxy = await Proxy.start(`${name} to postgres`, () => ({ port: postgres.port }), undo);
      proxies.database.push(proxy);
      const databaseUrl = new URL(postgres.url);
      databaseUrl.port = String(proxy.port);
      apis.push(await Api.make({ name, folder, main: apiMain, databaseUrl: databaseUrl.href, artifactsFolder: join(folder, 'artifacts'), undo }));
    }
    const cast = new Cast({ postgres, replicas: apis, proxies, folder, undo });
    await mkdir(cast.runsFolder);
    for (const api of apis) api.program.start();
    cast.#watchReplicas();
    await Promise.all(apis.map((api) => api.up()));
    for (let n = 1; n <= workers; n++) await cast.#addWorker(n);
    return cast;
  }

  /** The address of the API for one more client, through a proxy of its own. */
  async clientUrl(name: string, { mayDuplicate = true } = {}): Promise<string> {
    const proxy = await Proxy.start(`${name} to api`, () => this.#route(), this.undo, { mayDuplicate });
    this.proxies.client.push(proxy);
    return `http://127.0.0.1:${proxy.port}`;
  }

  /** What happened on all ways together. */
  wayCounts(): ProxyCounts {
    const sum: ProxyCounts = { lostAnswers: 0, duplicates: 0, resets: 0, swallowed: 0 };
    for (const { counts } of Object.values(this.proxies).flat() as Proxy[]) for (const name of Object.keys(sum) as (keyof ProxyCounts)[]) sum[name] += counts[name];
    return sum;
  }

  async #addWorker(n: number): Promise<void> {
    const name = `worker-host-${n}`;
    const proxy = await Proxy.start(`${name} to api`, () => this.#route(), this.undo);
    this.proxies.worker.push(proxy);
    // Half of them have ids of their own, the others get theirs from the API.
    const worker = await Worker.make({
      name, folder: this.#folder, apiUrl: `http://127.0.0.1:${proxy.port}`, runsFolder: this.runsFolder,
      id: n % 2 === 0 ? `worker-${100 + n}-kind` : null, smallDisk: n <= SMALL_DISKS,
    }, this.undo);
    this.workers.push(worker);
    worker.program.start();
  }

  /** The next replica that is up, in turn. */
  #route(): Target | null {
    for (let tried = 0; tried < this.replicas.length; tried++) {
      this.#next += 1;
      const target = this.replicas[this.#next % this.replicas.length]?.target ?? null;
      if (target !== null) return target;
    }
    return null;
  }

  /** As load balancers do, connections to a replica that has gone down are ended. */
  #watchReplicas(): void {
    const before = new Map<Api, number | null>();
    const timer = setInterval(() => {
      for (const api of this.replicas) {
        const port = api.target?.port ?? null;
        const last = before.get(api) ?? null;
        before.set(api, port);
        if (last === null || last === port) continue;
        for (const proxy of [...this.proxies.worker, ...this.proxies.client]) proxy.forsake(last);
      }
    }, 100);
    this.undo.add(() => {
      clearInterval(timer);
    });
  }
}
