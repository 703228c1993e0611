import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gatherMsOf, Pace } from '../src/calls/pace.js';

const AN_HOUR = 3_600_000;

async function isPending(promise: Promise<void>): Promise<boolean> {
  const waits = Symbol('waits');
  return (await Promise.race([promise, nextTurn(waits)])) === waits;
}

describe('pace', () => {
  it('lets the first go at once, and holds up the next', async () => {
    const pace = new Pace(AN_HOUR);
    const stop = new AbortController();
    await pace.turn(stop.signal);
    const second = pace.turn(stop.signal);
    expect(await isPending(second)).to.equal(true);
    stop.abort();
    await second;
  });

  it('holds nobody up where the next is known to be worth a call', async () => {
    const pace = new Pace(AN_HOUR);
    await pace.turn();
    pace.skip();
    expect(await isPending(pace.turn())).to.equal(false);
  });

  it('does not bound what a worker can run below ten tasks a millisecond', () => {
    for (let concurrency = 1; concurrency <= 1_000; concurrency++) {
      const ms = gatherMsOf(concurrency);
      expect(ms).to.be.within(0, 10);
      if (ms > 0) expect(concurrency / ms).to.be.at.least(10);
    }
  });
});
