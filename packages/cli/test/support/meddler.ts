/** A TCP proxy that keeps the first answers from whoever asked: the request arrives, its answer does not. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Meddler {
  readonly url: string;
  /** How many connections were cut. */
  readonly cuts: number;
  stop(): Promise<void>;
}

/** Cuts each of the first `connections` connections when `bytes` of the answer have come. */
export async function startMeddler(target: string, { connections, bytes }: { connections: number; bytes: number }): Promise<Meddler> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let seen = 0;
  let cuts = 0;
  const server = createServer((near) => {
    seen += 1;
    const meddles = seen <= connections;
    const far = connect(Number(port), hostname);
    let passed = 0;
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      const allowed = meddles ? Math.max(0, bytes - passed) : chunk.length;
      passed += chunk.length;
      near.write(chunk.subarray(0, allowed));
      if (!meddles || passed < bytes) return;
      cuts += 1;
      near.destroySoon();
      far.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
