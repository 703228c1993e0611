/** One connection through a proxy: two sockets, and what a fault does to the bytes between them. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, ProxyCounts } from './proxy.js';

export interface LinkParts {
  readonly counts: ProxyCounts;
  /** The port of a server for the second copy of a request. */
  readonly other: () => number | null;
}

/** A second copy of a request is left so long after the first was answered. */
const SHADOW_MS = 200;

export class Link {
  readonly port: number;
  readonly closed: Promise<void>;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #parts: LinkParts;
  #fault: Fault | null = null;
  #shadow: Socket | null = null;
  /** What each side still has to be given, one piece after another. */
  #toNear: Promise<void> = Promise.resolve();
  #toFar: Promise<void> = Promise.resolve();

  constructor(near: Socket, port: number, parts: LinkParts) {
    this.port = port;
    this.#near = near;
    this.#far = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#parts = parts;
    near.on('data', (bytes: Buffer) => {
      this.#request(bytes);
    });
    this.#far.on('data', (bytes: Buffer) => {
      this.#answer(bytes);
    });
    for (const [one, other] of [[near, this.#far], [this.#far, near]] as const) {
      one.on('error', () => undefined);
      // What is on its way arrives before the end does; through a half-open connection no end is heard.
      const after = (then: () => void): void => {
        if (this.#fault?.kind !== 'half_open') void (one === near ? this.#toFar : this.#toNear).then(then);
      };
      one.on('end', () => {
        after(() => other.end());
      });
      one.on('close', () => {
        after(() => other.destroy());
      });
    }
    this.closed = Promise.all([near, this.#far].map((socket) => new Promise((resolve) => socket.once('close', resolve)))).then(() => {
      this.#shadow?.destroy();
    });
  }

  /** From now on it has this fault. */
  meet(fault: Fault | null): void {
    this.#fault = fault;
  }

  end(): void {
    reset(this.#near);
    reset(this.#far);
    this.#shadow?.destroy();
  }

  #request(bytes: Buffer): void {
    const fault = this.#fault;
    if (fault?.kind === 'half_open') {
      this.#parts.counts.swallowed += 1;
      return;
    }
    if (fault?.kind === 'duplicate') this.#copy(bytes);
    this.#toFar = this.#pass(this.#far, bytes, this.#toFar, fault?.kind === 'delay' ? fault.ms : 0);
  }

  #answer(bytes: Buffer): void {
    const fault = this.#fault;
    if (fault?.kind === 'half_open') {
      this.#parts.counts.swallowed += 1;
      return;
    }
    if (fault?.kind === 'lost_answer') {
      this.#parts.counts.lostAnswers += 1;
      this.end();
      return;
    }
    this.#dropShadow();
    if (fault?.kind === 'drip') {
      for (let from = 0; from < bytes.length; from += fault.bytes) {
        this.#toNear = this.#pass(this.#near, bytes.subarray(from, from + fault.bytes), this.#toNear, fault.ms);
      }
      return;
    }
    this.#toNear = this.#pass(this.#near, bytes, this.#toNear, fault?.kind === 'delay' ? fault.ms : 0);
  }

  async #pass(to: Socket, bytes: Buffer, before: Promise<void>, ms: number): Promise<void> {
    await before;
    if (ms > 0) await sleep(ms);
    if (to.destroyed || to.write(bytes)) return;
    await new Promise<void>((resolve) => {
      to.once('drain', resolve).once('close', resolve);
    });
  }

  #copy(bytes: Buffer): void {
    if (this.#shadow === null) {
      const port = this.#parts.other();
      if (port === null) return;
      this.#shadow = connect({ port, host: '127.0.0.1' });
      this.#shadow.on('error', () => undefined).resume();
      this.#parts.counts.duplicates += 1;
    }
    this.#shadow.write(bytes);
  }

  #dropShadow(): void {
    const shadow = this.#shadow;
    if (shadow === null) return;
    this.#shadow = null;
    setTimeout(() => shadow.destroy(), SHADOW_MS);
  }
}

/** Only where there is a connection: Node never forgets a socket that was reset while it was connecting, and then cannot end. */
export function reset(socket: Socket): void {
  if (socket.connecting || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
