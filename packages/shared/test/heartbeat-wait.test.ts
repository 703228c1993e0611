import { expect } from 'chai';
import { idleHeartbeatWait } from '../src/index.js';

describe('the wait of idle heartbeats', () => {
  it('is a quarter of the lease, or the interval where that is longer', () => {
    expect(idleHeartbeatWait({ interval: 5, lease: 120 })).to.equal(30);
    expect(idleHeartbeatWait({ interval: 5, lease: 15 })).to.equal(5);
  });
});
