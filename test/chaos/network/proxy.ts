/**
 * A TCP proxy with a fault in it. It takes connections for one client, or for one server, and passes bytes on to whatever
 * `upstream` names for each new connection. One fault at a time; without one it is a wire.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Undo } from '../undo.js';
import { Link, reset } from './link.js';

export interface Target {
  readonly port: number;
}

export type Fault =
  /** Each piece of bytes comes so much later, both ways. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections are reset, and new ones with them. */
  | { readonly kind: 'cut' }
  /** Nothing passes, and nobody is told; when it is over, the connections are reset. */
  | { readonly kind: 'half_open' }
  /** Answers come in little pieces. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly ms: number }
  /** Requests arrive; the next answer on each connection does not, and the connection is reset. */
  | { readonly kind: 'lost_answer' }
  /** Requests arrive twice, at different servers where there are several; the second answer goes nowhere. */
  | { readonly kind: 'duplicate' };

/** How often something happened to a connection. */
export interface ProxyCounts {
  lostAnswers: number;
  duplicates: number;
  resets: number;
  swallowed: number;
}

export class Proxy {
  readonly name: string;
  /** Whether its client's requests may arrive twice: those of one that repeats nothing may not. */
  readonly mayDuplicate: boolean;
  readonly counts: ProxyCounts = { lostAnswers: 0, duplicates: 0, resets: 0, swallowed: 0 };
  readonly #upstream: () => Target | null;
  readonly #links = new Set<Link>();
  readonly #server: Server;
  #fault: Fault | null = null;

  private constructor(name: string, upstream: () => Target | null, mayDuplicate: boolean) {
    this.name = name;
    this.mayDuplicate = mayDuplicate;
    this.#upstream = upstream;
    this.#server = createServer({ noDelay: true }, (near) => {
      this.#accept(near);
    });
  }

  /** `upstream`: where the next connection goes; null: nowhere. */
  static async start(name: string, upstream: () => Target | null, undo: Undo, { mayDuplicate = true } = {}): Promise<Proxy> {
    const proxy = new Proxy(name, upstream, mayDuplicate);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    undo.add(() => proxy.stop());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get fault(): Fault | null {
    return this.#fault;
  }

  /** Null mends it. */
  set(fault: Fault | null): void {
    const before = this.#fault;
    this.#fault = fault;
    for (const link of this.#links) {
      if (fault?.kind === 'cut' || before?.kind === 'half_open') this.#reset(link);
      else link.meet(fault);
    }
  }

  /** Ends the connections to a server that is down, as load balancers do. */
  forsake(port: number): void {
    for (const link of this.#links) if (link.port === port && this.#fault?.kind !== 'half_open') this.#reset(link);
  }

  async stop(): Promise<void> {
    for (const link of this.#links) link.end();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    const target = this.#upstream();
    if (this.#fault?.kind === 'cut' || target === null) {
      near.on('error', () => undefined);
      reset(near);
      return;
    }
    const link = new Link(near, target.port, { counts: this.counts, other: () => this.#upstream()?.port ?? null });
    this.#links.add(link);
    link.closed.then(() => this.#links.delete(link), () => undefined);
    link.meet(this.#fault);
  }

  #reset(link: Link): void {
    this.counts.resets += 1;
    link.end();
  }
}
