/** How long idle claims wait. */
import { expect } from 'chai';
import { ClaimWait } from '../src/claiming/claim-wait.js';

const MINUTE = 60_000;

describe('worker: the wait of idle claims', () => {
  let now = 0;
  const wait = (): ClaimWait => new ClaimWait(55, () => now);

  beforeEach(() => {
    now = 0;
  });

  it('is the usual one until the API proposes a longer one, and again when it proposes none', () => {
    const one = wait();
    expect(one.seconds).to.equal(55);
    one.answered({ tookMs: 55_000, proposed: 300 });
    expect(one.seconds).to.equal(300);
    one.answered({ tookMs: 300_000, proposed: 20 });
    expect(one.seconds).to.equal(55);
    one.answered({ tookMs: 300_000, proposed: null });
    expect(one.seconds).to.equal(55);
  });

  it('is the usual one for ten minutes after a longer claim was cut, and for twice as long after each further one', () => {
    const one = wait();
    one.answered({ tookMs: 55_000, proposed: 300 });
    for (const minutes of [10, 20, 40]) {
      one.failed({ tookMs: 60_000 });
      now += minutes * MINUTE - 1;
      one.answered({ tookMs: 54_000, proposed: 300 });
      expect(one.seconds).to.equal(55);
      now += 1;
      expect(one.seconds).to.equal(300);
    }
    one.answered({ tookMs: 300_000, proposed: 300 });
    one.failed({ tookMs: 60_000 });
    now += 10 * MINUTE;
    expect(one.seconds).to.equal(300);
  });

  it('is cautious for a day at most', () => {
    const one = wait();
    one.answered({ tookMs: 55_000, proposed: 300 });
    for (let n = 0; n < 2_000; n++) one.failed({ tookMs: 60_000 });
    now += 24 * 60 * MINUTE;
    expect(one.seconds).to.equal(300);
  });

  it('does not take for a cut what ends a claim within the usual wait', () => {
    const one = wait();
    one.answered({ tookMs: 55_000, proposed: 300 });
    one.failed({ tookMs: 55_000 });
    expect(one.seconds).to.equal(300);
  });
});
