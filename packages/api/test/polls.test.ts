/** Polls: one at a time, and one more for all that was asked meanwhile. */
import { expect } from 'chai';
import { Polls } from '../src/waiting/polls.js';

/** Later than any pause of these tests. */
const NEVER_MS = 2 ** 30;

describe('polls', () => {
  const open: Polls[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((polls) => polls.stop()));
  });

  /** Polls that end when they are told to, and are told when they begin. */
  function held({ pauseMs = NEVER_MS, leastPauseMs = 0 } = {}) {
    const ends: (() => void)[] = [];
    const begins: (() => void)[] = [];
    let begun = 0;
    const polls = new Polls({
      poll: () => new Promise((resolve) => {
        begun += 1;
        ends.push(resolve);
        begins.shift()?.();
      }),
      pauseMs: () => pauseMs, leastPauseMs,
    });
    open.push(polls);
    return {
      polls,
      begun: () => begun,
      begins: () => new Promise<void>((resolve) => {
        begins.push(resolve);
      }),
      end: () => ends.shift()?.(),
    };
  }

  it('has one more for all that was asked while one was under way', async () => {
    const { polls, begun, begins, end } = held();
    let next = begins();
    polls.soon();
    await next;
    for (let n = 0; n < 1_000; n++) {
      polls.soon();
      if (n % 100 === 0) await new Promise(setImmediate);
    }
    expect(begun()).to.equal(1);
    next = begins();
    end();
    await next;
    // The second answers all of them: only who asks now is answered by a third.
    next = begins();
    end();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(begun()).to.equal(2);
    polls.soon();
    await next;
    expect(begun()).to.equal(3);
    end();
  });

  it('has one for all that was asked before it began, and is not put off by those who ask on', async () => {
    const { polls, begun, begins, end } = held();
    const next = begins();
    let isBegun = false;
    void next.then(() => { isBegun = true; });
    for (let n = 0; n < 100_000 && !isBegun; n++) {
      polls.soon();
      await new Promise(setImmediate);
    }
    expect(isBegun).to.equal(true);
    expect(begun()).to.equal(1);
    end();
  });

  it('has the next by itself', async () => {
    const { polls, begun, begins, end } = held({ pauseMs: 0 });
    polls.start();
    for (let n = 1; n <= 3; n++) {
      const next = begins();
      end();
      await next;
      expect(begun()).to.equal(n);
    }
    end();
  });

  it('awaits but the one under way when it stops', async () => {
    const { polls, begun, begins, end } = held();
    const next = begins();
    polls.soon();
    await next;
    polls.soon();
    let isStopped = false;
    const stopped = polls.stop().then(() => { isStopped = true; });
    await new Promise(setImmediate);
    expect(isStopped).to.equal(false);
    end();
    await stopped;
    polls.soon();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(begun()).to.equal(1);
  });
});
