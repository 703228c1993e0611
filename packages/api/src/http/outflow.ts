/** Writing answers of any length to readers of any speed: nothing is buffered beyond the socket, and no reader is waited for long. */
import type { Response } from 'express';

/** Writes `part`, and waits where the reader is slow. @throws where it has gone, or has taken nothing for `stallMs` */
export async function write(res: Response, part: string | Buffer, gone: AbortSignal, stallMs: number): Promise<void> {
  gone.throwIfAborted();
  if (res.write(part)) return;
  await new Promise<void>((resolve, reject) => {
    const end = (fault?: string): void => {
      clearTimeout(timer);
      res.off('drain', onDrain);
      gone.removeEventListener('abort', onGone);
      if (fault === undefined) resolve();
      else reject(new Error(fault));
    };
    const onDrain = (): void => {
      end();
    };
    const onGone = (): void => {
      end('the reader has gone');
    };
    const timer = setTimeout(() => {
      end('the reader has stalled');
    }, stallMs);
    res.on('drain', onDrain);
    gone.addEventListener('abort', onGone);
  });
}
