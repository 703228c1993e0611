/** The line of waiting claims: who is woken, and what that costs. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fits, type Appetite, type Lane } from '../src/waiting/appetite.js';
import { ClaimLine, type ClaimWaiter } from '../src/waiting/claim-line.js';
import { Stretch } from '../src/waiting/stretch.js';
import { countedAppetite, NOBODY } from './support/appetites.js';

const endless = new Stretch(Infinity);
const laneOf = (problem: string, backend = ''): Lane => ({ problem_id: problem, backend_type: backend });

const APPETITES: Appetite[] = [
  { globs: [], backendType: 'kind' }, { globs: ['a-*'], backendType: 'kind' }, { globs: ['a-*'], backendType: 'gpu' },
  { globs: ['b-*', 'a-1'], backendType: 'kind' }, { globs: ['c-*'], backendType: 'gpu' },
];
const LANES = [laneOf('a-1'), laneOf('a-2', 'gpu'), laneOf('b-1'), laneOf('c-1'), laneOf('d-1', 'gpu')];

interface Modelled {
  readonly waiter: ClaimWaiter;
  appetite: Appetite;
  isWoken: boolean;
  fullWorker: string | null;
}

describe('the line of claims', () => {
  it('wakes the first that fits, has room and is not woken, and sends it to the back, whoever comes, leaves, changes or waits again', async () => {
    const who = fc.nat(30);
    const what = fc.nat(APPETITES.length - 1);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), what }),
      fc.record({ kind: fc.constant('wakeFirst' as const), lane: fc.nat(LANES.length - 1) }),
      fc.record({ kind: fc.constant('leave' as const), who }),
      fc.record({ kind: fc.constant('wait' as const), who }),
      fc.record({ kind: fc.constant('wake' as const), who }),
      fc.record({ kind: fc.constant('change' as const), who, what }),
      fc.record({ kind: fc.constant('full' as const), who, worker: fc.constantFrom('worker-1', 'worker-2') }),
      fc.record({ kind: fc.constant('room' as const), who }),
      fc.record({ kind: fc.constant('freed' as const), worker: fc.constantFrom('worker-1', 'worker-2') }),
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const line = new ClaimLine();
      // All in one row, as the line was before it knew of appetites: slow, and plainly right.
      const model: Modelled[] = [];
      for (const one of steps) {
        if (one.kind === 'enter') {
          const appetite = APPETITES[one.what] as Appetite;
          model.push({ waiter: line.enter(appetite), appetite, isWoken: false, fullWorker: null });
        } else if (one.kind === 'wakeFirst') {
          const lane = LANES[one.lane] as Lane;
          const at = model.findIndex(({ appetite, isWoken, fullWorker }) => !isWoken && fullWorker === null && fits(appetite, lane));
          expect(line.wakeFirst(lane, endless)).to.equal(at >= 0);
          const [first] = at < 0 ? [] : model.splice(at, 1);
          if (first !== undefined) model.push({ ...first, isWoken: true });
        } else if (one.kind === 'freed') {
          line.freed(one.worker);
          for (const waiting of model) if (waiting.fullWorker === one.worker) Object.assign(waiting, { isWoken: true, fullWorker: null });
        } else {
          const chosen = model[one.who % Math.max(1, model.length)];
          if (chosen === undefined) continue;
          if (one.kind === 'leave') {
            line.leave(chosen.waiter);
            model.splice(model.indexOf(chosen), 1);
          } else if (one.kind === 'wait') {
            expect(await chosen.waiter.wait(0, NOBODY)).to.equal(chosen.isWoken);
            chosen.isWoken = false;
          } else if (one.kind === 'wake') {
            chosen.waiter.wake();
            chosen.isWoken = true;
          } else if (one.kind === 'full') {
            line.isFull(chosen.waiter, one.worker);
            chosen.fullWorker = one.worker;
          } else if (one.kind === 'room') {
            line.hasRoom(chosen.waiter);
            chosen.fullWorker = null;
          } else {
            chosen.appetite = APPETITES[one.what] as Appetite;
            chosen.waiter.appetite = chosen.appetite;
          }
        }
        expect(line.size).to.equal(model.length);
        for (const { waiter, isWoken, fullWorker } of model) expect(waiter).to.include({ woken: isWoken, fullWorker });
      }
    }), { numRuns: 300 });
  });

  it('compares a lane once with each appetite, however many wait and however often it is asked', () => {
    const line = new ClaimLine();
    const count = { compared: 0 };
    for (let n = 0; n < 3_000; n++) line.enter(countedAppetite(count, `other-${n % 3}-*`));
    for (let n = 0; n < 5; n++) line.enter(countedAppetite(count, 'mine-*'));
    const lane = laneOf('mine-1');
    for (let n = 0; n < 1_000; n++) expect(line.wakeFirst(lane, endless)).to.equal(n < 5);
    expect(count.compared).to.equal(4);
    expect(line.wakeFirst(laneOf('mine-2'), endless)).to.equal(false);
    // Of those of mine, all are woken already.
    expect(count.compared).to.equal(7);
  });

  it('compares no more than it needs where all fit', () => {
    const line = new ClaimLine();
    const count = { compared: 0 };
    for (let n = 0; n < 3_000; n++) line.enter(countedAppetite(count, 'mine-*', `host-${n}-*`));
    const lane = laneOf('mine-1');
    for (let n = 0; n < 100; n++) expect(line.wakeFirst(lane, endless)).to.equal(true);
    expect(count.compared).to.be.at.most(300);
  });

  it('goes on after a rest where a stretch was over, though some have come and gone', async () => {
    const line = new ClaimLine();
    const count = { compared: 0 };
    const many = Array.from({ length: 99 }, (_one, g) => `never-${g}`);
    const others = Array.from({ length: 50 }, (_one, n) => line.enter(countedAppetite(count, `other-${n}-*`, ...many)));
    const early = line.enter(countedAppetite(count, 'mine-*'));
    const late = line.enter(countedAppetite(count, 'mine-*'));
    // Over after each comparison with so many globs.
    const short = new Stretch(0);
    const lane = laneOf('mine-1');
    let rests = 0;
    let woken: boolean | null = null;
    while ((woken = line.wakeFirst(lane, short)) === null) {
      rests += 1;
      if (rests === 10) line.leave(early);
      if (rests === 20) for (const one of others.slice(0, 5)) line.leave(one);
      await short.rest();
    }
    expect(woken).to.equal(true);
    expect(rests).to.be.at.least(20);
    expect([early.woken, late.woken]).to.deep.equal([false, true]);
    expect(count.compared).to.be.at.most(51);
  });
});
