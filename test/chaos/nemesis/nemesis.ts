/** Carries a schedule out on the cast and keeps a journal of what it did, with the times at which it really did it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../cast/api.js';
import type { Cast } from '../cast/cast.js';
import { monotonicMs } from '../clock.js';
import type { Proxy } from '../network/proxy.js';
import { nameOf, type Deed, type Event } from './schedule.js';

/** Something that went wrong, from when until when. */
export interface Trouble {
  readonly kind: string;
  /** The name of what it hit. */
  readonly on: string;
  readonly words: string;
  readonly from: number;
  /** Null: for good. */
  until: number | null;
}

/** A program on a host. */
type Played = Pick<Api, 'program' | 'host'>;

/** What a deed begins; `undo` ends it. Null: it cannot be done now, for what it would hit is hit already. */
interface Done {
  readonly on: string;
  readonly undo: () => Promise<void> | void;
}

const TURN_MS = 20_000;
const AGAIN_MS = 250;

export class Nemesis {
  readonly journal: Trouble[] = [];
  readonly #cast: Cast;
  /** Names of what is broken at the moment: it is not broken twice at a time. */
  readonly #broken = new Set<string>();

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  /** All of it, until `stop` aborts; then everything is mended. */
  async run(events: readonly Event[], stop: AbortSignal): Promise<void> {
    const began = monotonicMs();
    const running: Promise<void>[] = [];
    for (const { at, ms, target, deed } of events) {
      await sleep(Math.max(0, began + at - monotonicMs()), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) break;
      running.push(this.#one(deed, target, ms, stop));
    }
    await Promise.all(running);
  }

  /** Breaks something for good. @throws where there is nothing left to break */
  async breakForGood(deed: Deed, target: number): Promise<void> {
    const done = await this.#do(deed, target);
    if (done === null) throw new Error(`${nameOf(deed)}: there is nothing that could be broken for good`);
    this.#note(deed, done.on);
  }

  async #one(deed: Deed, target: number, ms: number, stop: AbortSignal): Promise<void> {
    // What it would hit may be hit already: then it waits for its turn.
    const deadline = monotonicMs() + TURN_MS;
    let done = await this.#do(deed, target);
    while (done === null && !stop.aborted && monotonicMs() < deadline) {
      await sleep(AGAIN_MS, undefined, { signal: stop }).catch(() => undefined);
      done = await this.#do(deed, target);
    }
    if (done === null) return;
    const trouble = this.#note(deed, done.on);
    await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
    await done.undo();
    trouble.until = monotonicMs();
  }

  #note(deed: Deed, on: string): Trouble {
    const kind = nameOf(deed);
    const trouble: Trouble = { kind, on, words: JSON.stringify(deed), from: monotonicMs(), until: null };
    this.journal.push(trouble);
    return trouble;
  }

  async #do(deed: Deed, target: number): Promise<Done | null> {
    const { workers, replicas, postgres } = this.#cast;
    switch (deed.kind) {
      case 'kill_worker':
      case 'pause_worker':
      case 'kill_api':
      case 'pause_api': {
        const all: readonly Played[] = deed.kind.endsWith('worker') ? workers : replicas;
        const free = this.#free(all, ({ program }) => program.name, target);
        if (free === null) return null;
        const { program } = free;
        const isKill = deed.kind.startsWith('kill');
        if (isKill) await program.kill();
        else program.pause();
        return this.#breaking(program.name, () => {
          if (isKill) program.start();
          else program.resume();
        });
      }
      case 'jump_worker_clock':
      case 'jump_api_clock': {
        const all: readonly Played[] = deed.kind === 'jump_worker_clock' ? workers : replicas;
        const host = this.#free(all, ({ host: { folder } }) => `clock of ${folder}`, target);
        if (host === null) return null;
        await host.host.setClock(deed.ms);
        return { ...this.#breaking(`clock of ${host.host.folder}`, () => host.host.setClock(0)), on: host.program.name };
      }
      case 'fill_disk': {
        const worker = this.#free(workers.filter(({ disk }) => disk !== null), ({ host }) => `disk of ${host.folder}`, target);
        const disk = worker?.disk;
        if (worker === null || disk == null) return null;
        await disk.fill();
        return { ...this.#breaking(`disk of ${worker.host.folder}`, () => disk.empty()), on: worker.program.name };
      }
      case 'crash_postgres':
      case 'pause_postgres': {
        if (this.#broken.has('postgres')) return null;
        const done = this.#breaking('postgres', async () => {
          if (deed.kind === 'crash_postgres') await postgres.restart();
          else postgres.resume();
        });
        if (deed.kind === 'crash_postgres') await postgres.crash();
        else postgres.pause();
        return done;
      }
      case 'terminate_backends': {
        if (this.#broken.has('postgres')) return null;
        const ended = await postgres.terminateBackends().catch(() => 0);
        if (ended === 0) return null;
        return { on: `${ended} connections`, undo: () => undefined };
      }
      case 'hold_snapshot': {
        const end = this.#broken.has('postgres') ? null : await postgres.holdSnapshot().catch(() => null);
        if (end === null) return null;
        this.#cast.undo.add(end);
        return { on: 'postgres', undo: end };
      }
      case 'network': {
        const proxies: readonly Proxy[] = this.#cast.proxies[deed.place];
        const proxy = this.#free(proxies.filter(({ mayDuplicate }) => mayDuplicate || deed.fault.kind !== 'duplicate'), ({ name }) => name, target);
        if (proxy === null) return null;
        proxy.set(deed.fault);
        return this.#breaking(proxy.name, () => {
          proxy.set(null);
        });
      }
    }
  }

  #breaking(name: string, mend: () => Promise<void> | void): Done {
    this.#broken.add(name);
    return {
      on: name,
      undo: async () => {
        await mend();
        this.#broken.delete(name);
      },
    };
  }

  /** The one that `target` points at, of those that are not broken already. */
  #free<T>(all: readonly T[], nameOf: (one: T) => string, target: number): T | null {
    const free = all.filter((one) => !this.#broken.has(nameOf(one)));
    return free[Math.floor(target * free.length)] ?? null;
  }
}
