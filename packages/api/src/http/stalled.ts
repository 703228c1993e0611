/**
 * Ends connections whose other end takes nothing of what was written to it. Streams look after their readers themselves (outflow.ts); an
 * answer that was given to the socket whole would be kept for ever.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

/** What Node itself goes by where a socket has a timeout (net.js): all that was written, and what the kernel has not taken of it. */
interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** What the kernel has taken of all that was written to a connection, and what it has not; in bytes. */
export function outgoing(socket: (Socket & { readonly _handle?: Handle | null }) | null): { taken: number; unsent: number } {
  const { bytesWritten = 0, writeQueueSize: unsent = 0 } = socket?._handle ?? {};
  return { taken: bytesWritten - unsent, unsent };
}

interface Look {
  taken: number;
  at: number;
}

/** Watches every connection of `server`; returns what stops that. A connection ends `stallMs` to 1.5 times that after its last progress. */
export function endStalledReaders(server: Server, stallMs: number, log: Logger): () => void {
  const looks = new Map<Socket, Look>();
  server.on('connection', (socket) => {
    looks.set(socket, { taken: 0, at: 0 });
    socket.once('close', () => {
      looks.delete(socket);
    });
  });
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, look] of looks) {
      const { taken, unsent } = outgoing(socket);
      if (unsent === 0 || taken !== look.taken || look.at === 0) {
        look.taken = taken;
        look.at = unsent === 0 ? 0 : now;
      } else if (now - look.at >= stallMs) {
        log.info({ event: 'reader_stalled', unsent_bytes: unsent }, 'a connection was cut: its other end takes nothing');
        socket.destroy();
      }
    }
  }, stallMs / 2);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
