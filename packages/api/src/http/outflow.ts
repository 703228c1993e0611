/** Writing answers of any length to readers of any speed: nothing is buffered beyond the socket, and no reader is waited for long. */
import type { Response } from 'express';
import type { Leaving } from '../waiting/waiter.js';
import { outgoing } from './stalled.js';

const GONE = 'the reader has gone';

/** Writes `part`, and waits where the reader is slow. @throws where it has gone, or has taken nothing for `stallMs` */
export async function write(res: Response, part: string | Buffer, reader: Leaving, stallMs: number): Promise<void> {
  if (reader.gone) throw new Error(GONE);
  if (res.write(part)) return;
  await new Promise<void>((resolve, reject) => {
    const end = (fault?: string): void => {
      clearInterval(timer);
      res.off('drain', onDrain);
      reader.whenGone(null);
      if (fault === undefined) resolve();
      else reject(new Error(fault));
    };
    const onDrain = (): void => {
      end();
    };
    // A long part is taken bit by bit, and drained only at its end.
    let { taken } = outgoing(res.socket);
    const timer = setInterval(() => {
      const before = taken;
      ({ taken } = outgoing(res.socket));
      if (taken === before) end('the reader has stalled');
    }, stallMs);
    res.on('drain', onDrain);
    reader.whenGone(() => {
      end(GONE);
    });
  });
}
