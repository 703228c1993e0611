import { expect } from 'chai';
import fc from 'fast-check';
import { Coalescer, CoalescerFull } from '../src/db/coalesce.js';

const BOUNDS = { failsAll: (): boolean => false, maxRunning: 1, maxWaiting: 1_000, maxWeight: 10 };

/** A batch that ends when it is told to. */
interface Held {
  readonly items: readonly number[];
  end(): void;
}

describe('coalescing', () => {
  it('runs what comes in one turn together, and gathers while a batch is under way', async () => {
    const held: Held[] = [];
    const coalescer = new Coalescer<number, number>({
      ...BOUNDS,
      run: (items) => new Promise((resolve) => {
        held.push({ items, end: () => { resolve(items.map((item) => item * 2)); } });
      }),
    });
    const first = [coalescer.add(1), coalescer.add(2)];
    await new Promise(setImmediate);
    const second = [coalescer.add(3)];
    await new Promise(setImmediate);
    second.push(coalescer.add(4));
    expect(held.map(({ items }) => items)).to.deep.equal([[1, 2]]);
    held[0]?.end();
    expect(await Promise.all(first)).to.deep.equal([2, 4]);
    await new Promise(setImmediate);
    expect(held.map(({ items }) => items)).to.deep.equal([[1, 2], [3, 4]]);
    held[1]?.end();
    expect(await Promise.all(second)).to.deep.equal([6, 8]);
  });

  it('begins a second batch beside another once it has as many items, and a full one at once', async () => {
    const held: Held[] = [];
    const coalescer = new Coalescer<number, number>({
      ...BOUNDS, maxRunning: 2, weigh: (item) => item,
      run: (items) => new Promise((resolve) => {
        held.push({ items, end: () => { resolve(items); } });
      }),
    });
    const add = async (item: number): Promise<void> => {
      void coalescer.add(item);
      await new Promise(setImmediate);
    };
    await Promise.all([add(1), add(1), add(1)]);
    for (const item of [2, 2]) await add(item);
    expect(held.map(({ items }) => items)).to.deep.equal([[1, 1, 1]]);
    await add(2);
    expect(held.map(({ items }) => items)).to.deep.equal([[1, 1, 1], [2, 2, 2]]);
    // Both places are taken; what comes meanwhile goes together when one is free.
    for (const item of [3, 3]) await add(item);
    held[1]?.end();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(held.map(({ items }) => items).slice(2)).to.deep.equal([]);
    await add(10);
    expect(held.map(({ items }) => items).slice(2)).to.deep.equal([[3, 3]]);
    for (const one of held) one.end();
  });

  it('gives each item its own result, in batches that are bounded, whatever fails', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.record({ weight: fc.nat(12), bad: fc.boolean() }), { maxLength: 60 }), async (items) => {
      const batches: (typeof items)[] = [];
      const coalescer = new Coalescer<(typeof items)[number], number>({
        ...BOUNDS,
        weigh: ({ weight }) => weight,
        run: (batch) => {
          batches.push([...batch]);
          return batch.some(({ bad }) => bad) ? Promise.reject(new Error('bad')) : Promise.resolve(batch.map((item) => items.indexOf(item)));
        },
      });
      const results = await Promise.allSettled(items.map((item) => coalescer.add(item)));
      results.forEach((result, n) => {
        if (items[n]?.bad === true) expect(result.status).to.equal('rejected');
        else expect(result).to.deep.include({ status: 'fulfilled', value: n });
      });
      for (const batch of batches) {
        expect(batch.length === 1 || batch.reduce((sum, { weight }) => sum + weight, 0) <= BOUNDS.maxWeight).to.equal(true);
      }
    }));
  });

  it('spaces batches that need not come at once, but not full ones', async () => {
    const batches: number[] = [];
    // No timer ends within this test.
    const coalescer = new Coalescer<number, number>({
      ...BOUNDS,
      maxRunning: 5,
      spacing: { ms: 3_600_000, burst: 2 },
      run: (items) => {
        batches.push(items.length);
        return Promise.resolve(items);
      },
    });
    expect(await coalescer.add(1)).to.equal(1);
    expect(await Promise.all([coalescer.add(2), coalescer.add(3)])).to.deep.equal([2, 3]);
    const full = Array.from({ length: BOUNDS.maxWeight + 1 }, (_none, n) => coalescer.add(n));
    expect(await Promise.all(full.slice(0, BOUNDS.maxWeight))).to.have.length(BOUNDS.maxWeight);
    expect(batches).to.deep.equal([1, 2, BOUNDS.maxWeight]);
  });

  it('answers who is settled before the batch is done, and keeps that where the batch then fails', async () => {
    for (const failsAll of [true, false]) {
      const batches: (readonly number[])[] = [];
      let answered: number | null = null;
      const coalescer: Coalescer<number, number> = new Coalescer({
        ...BOUNDS,
        failsAll: () => failsAll,
        run: async (items, settle) => {
          batches.push(items);
          settle(0, 10 * (items[0] ?? 0));
          await new Promise(setImmediate);
          if (items.length === 1) return items.map((item) => 10 * item);
          throw new Error(`after ${answered}`);
        },
      });
      const first = coalescer.add(1).then((result) => (answered = result));
      const rest = await Promise.allSettled([coalescer.add(2), coalescer.add(3)]);
      expect(await first).to.equal(10);
      expect(rest.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).to.deep.equal(failsAll ? ['after 10', 'after 10'] : [20, 30]);
      expect(batches).to.deep.equal(failsAll ? [[1, 2, 3]] : [[1, 2, 3], [2], [3]]);
    }
  });

  it('fails a batch as a whole where each of its items would fail the same way', async () => {
    let runs = 0;
    const coalescer = new Coalescer<number, number>({
      ...BOUNDS,
      failsAll: () => true,
      run: () => {
        runs += 1;
        return Promise.reject(new Error('away'));
      },
    });
    const results = await Promise.allSettled([coalescer.add(1), coalescer.add(2)]);
    expect(results.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(runs).to.equal(1);
  });

  it('refuses what would wait behind too many', async () => {
    const coalescer = new Coalescer<number, number>({ ...BOUNDS, maxWaiting: 1, run: (items) => Promise.resolve([...items]) });
    const taken = coalescer.add(1);
    const refused = await coalescer.add(2).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(CoalescerFull);
    expect(await taken).to.equal(1);
  });
});
