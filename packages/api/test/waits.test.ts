/** How long calls of workers hang. */
import { expect } from 'chai';
import fc from 'fast-check';
import { claimWait, nextIdleWait, waitOfClaim } from '../src/waiting/waits.js';

const times = { claimWaitSeconds: 55, idleClaimWaitSeconds: 300, heartbeatIntervalSeconds: 5, leaseSeconds: 120 };

describe('waits', () => {
  it('of claims are as long as asked for, and no longer than counts', () => {
    expect([waitOfClaim(0, false), waitOfClaim(100, false), waitOfClaim(300, false)]).to.deep.equal([0, 100, 120]);
    expect([waitOfClaim(0, true), waitOfClaim(100, true), waitOfClaim(600, true), waitOfClaim(601, true)]).to.deep.equal([0, 100, 600, 600]);
  });

  it('that are asked for leave half a lease', () => {
    expect(claimWait(times)).to.equal(55);
    expect(claimWait({ ...times, leaseSeconds: 60 })).to.equal(30);
  });

  it('of idle claims grow with them, so that fifteen come back each second', () => {
    expect([0, 500, 825].map((waiting) => nextIdleWait(times, waiting))).to.deep.equal([undefined, undefined, undefined]);
    expect([900, 3_000, 10_000].map((waiting) => nextIdleWait(times, waiting))).to.deep.equal([60, 200, 300]);
    // Behind a proxy that is less patient.
    expect(nextIdleWait({ ...times, idleClaimWaitSeconds: 100 }, 3_000)).to.equal(100);
    expect(nextIdleWait({ ...times, idleClaimWaitSeconds: 55 }, 10_000)).to.equal(undefined);
    expect(nextIdleWait({ ...times, leaseSeconds: 60 }, 600)).to.equal(40);
  });

  it('of idle claims are never longer than allowed, nor shorter than any', () => {
    fc.assert(fc.property(fc.nat(20_000), fc.double({ min: 1, max: 120, noNaN: true }), fc.double({ min: 1, max: 300, noNaN: true }), (waiting, claimWaitSeconds, idleClaimWaitSeconds) => {
      const wait = nextIdleWait({ ...times, claimWaitSeconds, idleClaimWaitSeconds }, waiting);
      return wait === undefined || (wait <= idleClaimWaitSeconds && wait > Math.min(claimWaitSeconds, 60));
    }));
  });
});
