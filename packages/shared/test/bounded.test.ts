import { getEventListeners, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Connection } from '../src/connection.js';
import { ApiUnreachable, bounded } from '../src/index.js';

/** What is left at `signal`: listeners, and what Node itself notes of signals that follow it. */
function leftAt(signal: AbortSignal): number {
  const following = Object.getOwnPropertySymbols(signal).filter(({ description }) => description === 'kDependantSignals');
  const sizes = following.map((symbol) => (signal as unknown as Record<symbol, { size: number }>)[symbol]?.size ?? 0);
  return getEventListeners(signal, 'abort').length + sizes.reduce((sum, size) => sum + size, 0);
}

describe('bounded calls', () => {
  const untilAborted = (signal: AbortSignal): Promise<unknown> => new Promise((resolve) => {
    const give = (): void => {
      resolve(signal.reason);
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give);
  });

  it('end with the reason of the first signal that aborts, now or before, or with a TimeoutError', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const call = bounded({ signals: [first.signal, undefined, second.signal, null], timeoutMs: 60_000 }, untilAborted);
    second.abort('second');
    first.abort('first');
    expect(await call).to.equal('second');
    expect(await bounded({ signals: [second.signal, first.signal] }, untilAborted)).to.equal('second');
    expect(await bounded({ signals: [], timeoutMs: 1 }, untilAborted)).to.include({ name: 'TimeoutError' });
    expect([leftAt(first.signal), leftAt(second.signal)]).to.deep.equal([0, 0]);
  });

  it('leave nothing behind where they fail, and are not ended any more', async () => {
    const stop = new AbortController();
    let own: AbortSignal | null = null;
    const failed = await bounded({ signals: [stop.signal], timeoutMs: 60_000 }, (signal) => {
      own = signal;
      return Promise.reject(new Error('wrong'));
    }).catch((error: unknown) => error);
    expect(failed).to.have.property('message', 'wrong');
    expect(leftAt(stop.signal)).to.equal(0);
    stop.abort();
    expect(own).to.have.property('aborted', false);
  });

  describe('of the API', () => {
    let server: Server;
    let api: Connection;
    let isSilent: boolean;
    beforeEach(async () => {
      isSilent = false;
      server = createServer((req, res) => {
        if (!isSilent) res.end('{}');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      api = new Connection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    afterEach(async () => {
      await api.close();
      server.closeAllConnections();
      server.close();
    });

    it('leave nothing at a signal that outlives them, and still end by it and by their time', async () => {
      const over = new AbortController();
      const { signal } = over;
      const warnings: Error[] = [];
      const onWarning = (warning: Error): void => void warnings.push(warning);
      process.on('warning', onWarning);
      for (let n = 0; n < 10; n++) await Promise.all(Array.from({ length: 20 }, () => api.call('GET', '/', { signal })));
      process.off('warning', onWarning);
      expect(warnings).to.be.empty;
      expect(leftAt(signal)).to.equal(0);
      isSilent = true;
      const late = await api.call('GET', '/', { signal, timeoutMs: 20 }).catch((error: unknown) => error);
      expect(late).to.be.instanceOf(ApiUnreachable).and.have.nested.property('cause.name', 'TimeoutError');
      expect(leftAt(signal)).to.equal(0);
      const cut = api.call('GET', '/', { signal }).catch((error: unknown) => error);
      await once(server, 'request');
      over.abort(new Error('the session is over'));
      expect(await cut).to.be.instanceOf(ApiUnreachable).and.have.nested.property('cause.message', 'the session is over');
    });
  });
});
