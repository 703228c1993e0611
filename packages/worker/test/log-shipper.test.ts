/** The log shipper against a scripted `send`: what is sent, in which order, and who waits for whom. */
import { expect } from 'chai';
import { ApiError, ApiUnreachable, LIMITS } from '@task-executor/shared';
import { valuesIn } from '../src/calls/storable.js';
import type { BatchStore, LogLine } from '../src/reporting/log-batch.js';
import { LogShipper } from '../src/reporting/log-shipper.js';

interface Batch { offset: number; messages: string[]; bytes: number }
type Answer = (batch: Batch) => Promise<number>;

const stored: Answer = ({ offset, messages }) => Promise.resolve(offset + messages.length);
const refusal = (status: number, code: string, more: Record<string, unknown> = {}): Answer =>
  () => Promise.reject(new ApiError(status, { code, title: code, ...more } as ConstructorParameters<typeof ApiError>[1], null));

/** A shipper whose batches are answered by `script`, one after another, and are stored after that. */
function shipping(...script: Answer[]) {
  const batches: Batch[] = [];
  const stop = new AbortController();
  const shipper = new LogShipper({ send: (offset: number, entries: LogLine[]) => {
    const batch = { offset, messages: entries.map((entry) => entry.message), bytes: Buffer.byteLength(JSON.stringify({ offset, entries })) };
    batches.push(batch);
    return (script.shift() ?? stored)(batch);
  }, stop: stop.signal });
  return { shipper, batches, stop };
}

/** Whether `promise` has settled once everything that is due has run, `rounds` times one after another. */
async function hasSettled(promise: Promise<unknown>, rounds = 1): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  for (let round = 0; round < rounds && !settled; round++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => { open(); } };
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

describe('log shipper', () => {
  it('ships every line once and in order, in bounded batches that follow one another', async () => {
    const { shipper, batches } = shipping();
    for (const message of numbered(5_000)) await shipper.log('info', message);
    await shipper.close();
    expect(batches.flatMap((batch) => batch.messages)).to.deep.equal(numbered(5_000));
    let offset = 0;
    for (const batch of batches) {
      expect(batch.offset).to.equal(offset);
      expect(batch.messages.length).to.be.at.most(LIMITS.maxLogBatchLines);
      offset += batch.messages.length;
    }
  });

  it('lets no writer wait once it is hurried, and marks where lines are missing', async () => {
    const { opened, open } = gate();
    const { shipper, batches } = shipping(async (batch) => {
      await opened;
      return stored(batch);
    });
    const taken: Promise<void>[] = [];
    for (const message of numbered(2_001)) taken.push(shipper.log('info', message));
    expect(await hasSettled(Promise.all(taken), 10)).to.equal(false);
    shipper.hurry();
    await Promise.all(taken);
    for (let n = 0; n < 3; n++) await shipper.log('info', 'left out');
    open();
    await shipper.close();
    const messages = batches.flatMap((batch) => batch.messages);
    expect(messages.slice(0, 2_001)).to.deep.equal(numbered(2_001));
    expect(messages.slice(2_001)).to.have.length(1);
    expect(messages.at(-1)).to.match(/^the log is cut here/);
  });

  it('sends no body that is too large, whatever the lines hold', async () => {
    const { shipper, batches } = shipping();
    const lines = ['\u0001', '"', '\u4e2d', 'x'].flatMap((character) => Array.from({ length: 12 }, () => character.repeat(LIMITS.maxLogMessageChars)));
    for (const line of lines) await shipper.log('info', line);
    await shipper.close();
    expect(batches.flatMap((batch) => batch.messages)).to.deep.equal(lines);
    expect(Math.max(...batches.map((batch) => batch.bytes))).to.be.at.most(LIMITS.maxBodyBytes);
  });

  it('sends no body of more values than the API takes', async () => {
    const bodies: { offset: number; entries: LogLine[] }[] = [];
    const shipper = new LogShipper({ send: (offset, entries) => {
      bodies.push({ offset, entries });
      return Promise.resolve(offset + entries.length);
    }, stop: new AbortController().signal });
    const context = { list: Array.from({ length: 2_000 }, () => [1]) };
    const lines = LIMITS.maxJsonNodes / 1_000;
    for (const message of numbered(lines)) await shipper.log('info', message, context);
    await shipper.close();
    expect(bodies.flatMap(({ entries }) => entries.map(({ message }) => message))).to.deep.equal(numbered(lines));
    expect(Math.max(...bodies.map(valuesIn))).to.be.within(LIMITS.maxJsonNodes / 2, LIMITS.maxJsonNodes);
  });

  it('repeats a batch that was not answered, unchanged', async () => {
    const { shipper, batches } = shipping(() => Promise.reject(new ApiUnreachable('cut')), refusal(503, 'database_unavailable'));
    await shipper.log('info', 'a');
    await shipper.log('info', 'b');
    await shipper.close();
    expect(batches.map(({ offset, messages }) => ({ offset, messages }))).to.deep.equal(Array.from({ length: 3 }, () => ({ offset: 0, messages: ['a', 'b'] })));
  });

  it('goes on from where the API expects it', async () => {
    const { shipper, batches } = shipping(refusal(409, 'log_gap', { expected_offset: 7 }));
    await shipper.log('info', 'a');
    await shipper.close();
    expect(batches.map((batch) => batch.offset)).to.deep.equal([0, 7]);
    expect(batches[1]?.messages).to.deep.equal(['a']);
  });

  it('gives up what will never be taken, says so in its place, and ships what follows', async () => {
    const { shipper, batches } = shipping(refusal(422, 'unstorable_json'));
    for (const message of numbered(700)) await shipper.log('info', message);
    await shipper.close();
    const [refused, told, ...taken] = batches;
    expect([told?.offset, taken[0]?.offset]).to.deep.equal([0, 1]);
    expect(told?.messages[0]).to.match(/^500 lines of the log were not taken, and are given up: .*unstorable_json/);
    expect([...refused!.messages, ...taken.flatMap((batch) => batch.messages)]).to.deep.equal(numbered(700));
  });

  const failing = refusal(500, 'internal_error');
  const GIVEN_UP = /^(\d+) lines of the log were not taken, and are given up: 500 internal_error/;

  it('gives up a batch that makes the API fail again and again, says so in its place, and ships what follows', async () => {
    const { shipper, batches } = shipping(...Array.from({ length: 8 }, () => failing));
    for (const message of numbered(700)) await shipper.log('info', message);
    await shipper.close();
    const [told, ...taken] = batches.slice(8);
    expect(told).to.deep.include({ offset: 0 });
    expect(told?.messages).to.have.length(1);
    expect(GIVEN_UP.exec(told?.messages[0] ?? '')?.[1]).to.equal('500');
    expect(taken.map(({ offset }) => offset)).to.deep.equal([1]);
    expect(taken.flatMap(({ messages }) => messages)).to.deep.equal(numbered(700).slice(500));
  });

  it('ends where every batch makes the API fail, and says it all together when one is taken again', async () => {
    const { shipper, batches } = shipping(...Array.from({ length: 11 }, () => failing));
    for (const message of numbered(1_300)) await shipper.log('info', message);
    await shipper.close();
    // Eight tries and the telling, then one try of each.
    const [second, , third, told] = batches.slice(9);
    expect([second, third].map((batch) => batch?.messages[0])).to.deep.equal(['line 500', 'line 1000']);
    expect(told?.messages[0]).to.match(/^1000 lines of the log were not taken/);
    expect(batches).to.have.length(13);
  });

  it('gives up nothing where nothing gets through to the log for another reason than a failure of the API', async () => {
    const blocked: boolean[] = [];
    const taken: string[] = [];
    let tries = 0;
    const shipper = new LogShipper({ send: (offset, entries) => {
      tries += 1;
      if (tries <= 9) return Promise.reject(new ApiError(401, {}, null));
      taken.push(...entries.map(({ message }) => message));
      return Promise.resolve(offset + entries.length);
    }, stop: new AbortController().signal, onStuck: (_error, isBlocked) => blocked.push(isBlocked) });
    await shipper.log('info', 'a');
    while (!blocked.includes(true)) await new Promise((resolve) => setTimeout(resolve, 10));
    await shipper.close();
    expect(blocked.slice(0, 9)).to.deep.equal([...Array<boolean>(8).fill(false), true]);
    expect(taken.at(-1)).to.equal('a');
  });

  for (const code of ['attempt_not_held', 'session_ended', 'session_superseded', 'task_terminal']) {
    it(`ships nothing more after ${code}, and holds nobody up`, async () => {
      const { shipper, batches } = shipping(refusal(409, code));
      for (const message of numbered(3_000)) await shipper.log('info', message);
      await shipper.close();
      await shipper.log('info', 'later');
      expect(batches).to.have.length(1);
    });
  }

  it('lets a writer wait while its buffer is full, and go on when there is room', async () => {
    const { opened, open } = gate();
    const { shipper, batches } = shipping(async (batch) => {
      await opened;
      return stored(batch);
    });
    let last = Promise.resolve();
    let lines = 0;
    do {
      last = shipper.log('info', `line ${lines}`);
      lines += 1;
    } while (await hasSettled(last) && lines < 100_000);
    expect(lines).to.be.lessThan(100_000);
    open();
    await last;
    await shipper.close();
    expect(batches.flatMap((batch) => batch.messages)).to.deep.equal(numbered(lines));
  });

  it('counts what comes with the messages, too', async () => {
    const { opened, open } = gate();
    const { shipper } = shipping(async (batch) => {
      await opened;
      return stored(batch);
    });
    const context = { text: 'x'.repeat(50_000) };
    let lines = 0;
    while (await hasSettled(shipper.log('info', 'x', context)) && lines < 1_000) lines += 1;
    expect(lines).to.be.within(10, 25);
    open();
    await shipper.close();
  });

  it('lets a waiting writer go and drops what is left when it is stopped', async () => {
    const { opened, open } = gate();
    const { shipper, batches, stop } = shipping(async (batch) => {
      await opened;
      return stored(batch);
    });
    const writes = numbered(2_000).map((message) => shipper.log('info', message));
    stop.abort();
    await Promise.all(writes);
    open();
    await shipper.close();
    expect(batches.length).to.be.at.most(1);
  });

  /** A store in memory with room for `room` batches. */
  function storing(room: number) {
    const kept = new Map<number, { offset: number; entries: LogLine[] }>();
    const store: BatchStore = {
      put: (sequence, offset, entries) => {
        if (kept.size >= room) return Promise.reject(new Error('full'));
        kept.set(sequence, { offset, entries: [...entries] });
        return Promise.resolve();
      },
      get: (sequence) => Promise.resolve(kept.get(sequence)?.entries ?? null),
      remove: (sequence) => Promise.resolve(void kept.delete(sequence)),
    };
    return { kept, store };
  }

  it('puts lines aside while the API is away, so that the writer goes on, and ships them in order afterwards', async () => {
    const { kept, store } = storing(1_000);
    const { opened, open } = gate();
    let away = true;
    void opened.then(() => (away = false));
    const taken: string[] = [];
    const shipper = new LogShipper({ send: (offset, entries) => {
      if (away) return Promise.reject(new ApiUnreachable('away'));
      taken.push(...entries.map((entry) => entry.message));
      return Promise.resolve(offset + entries.length);
    }, stop: new AbortController().signal, store });
    // Far more than memory may hold.
    for (const message of numbered(20_000)) await shipper.log('info', message);
    expect(kept.size).to.be.greaterThan(30);
    let offset = 0;
    for (const batch of kept.values()) {
      expect(batch.offset).to.equal(offset);
      offset += batch.entries.length;
    }
    open();
    await shipper.close();
    expect(taken).to.deep.equal(numbered(20_000));
    expect(kept).to.be.empty;
  });

  it('lets the writer wait where the store is full, too', async () => {
    const { kept, store } = storing(3);
    const stop = new AbortController();
    const shipper = new LogShipper({ send: () => Promise.reject(new ApiUnreachable('away')), stop: stop.signal, store });
    let lines = 0;
    let last = Promise.resolve();
    do {
      last = shipper.log('info', 'x');
      lines += 1;
      // The first try has to fail before anything is put aside.
      while (kept.size === 0 && lines === 2_000) await new Promise((resolve) => setImmediate(resolve));
    } while (await hasSettled(last, 50) && lines < 100_000);
    expect(lines).to.be.lessThan(10_000);
    expect(kept.size).to.equal(3);
    stop.abort();
    await last;
    await shipper.close();
    expect(kept).to.be.empty;
  });

  it('goes on with what an earlier process left, from its offset, and skips what is gone', async () => {
    const { kept, store } = storing(10);
    await store.put(4, 7, [{ level: 'info', message: 'h', timestamp: 't' }]);
    await store.put(6, 8, [{ level: 'info', message: 'i', timestamp: 't' }]);
    const batches: [number, string][] = [];
    const shipper = new LogShipper({ send: (offset, entries) => {
      batches.push([offset, entries[0]!.message]);
      return Promise.resolve(offset + entries.length);
    }, stop: new AbortController().signal, store, leftover: { offset: 7, sequences: [4, 5, 6] } });
    await shipper.close();
    expect(batches).to.deep.equal([[7, 'h'], [8, 'i']]);
    expect(kept).to.be.empty;
  });

  it('leaves in the store what it has not shipped when its process ends', async () => {
    const { kept, store } = storing(10);
    const shipper = new LogShipper({ send: () => Promise.reject(new ApiUnreachable('away')), stop: new AbortController().signal, store });
    await shipper.log('info', 'a');
    while (kept.size === 0) await new Promise((resolve) => setImmediate(resolve));
    shipper.halt();
    await shipper.close();
    expect([...kept.values()][0]?.entries[0]?.message).to.equal('a');
  });

  it('puts lines aside soon after its task has ended, though a call hangs and it is not closed yet', async () => {
    const { kept, store } = storing(10);
    const { opened, open } = gate();
    const shipper = new LogShipper({ send: async (offset, entries) => {
      await opened;
      return offset + entries.length;
    }, stop: new AbortController().signal, store });
    await shipper.log('info', 'a');
    shipper.putAsideSoon();
    while (kept.size === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([...kept.values()][0]?.entries[0]?.message).to.equal('a');
    open();
    await shipper.close();
    expect(kept).to.be.empty;
  });

  it('says where the log ends when an attempt writes too much', async () => {
    let offset = 0;
    let last: LogLine | undefined;
    const shipper = new LogShipper({ send: (_offset, entries) => {
      offset += entries.length;
      last = entries.at(-1);
      return Promise.resolve(offset);
    }, stop: new AbortController().signal });
    for (let line = 0; line < LIMITS.maxLogLinesPerAttempt + 10; line++) await shipper.log('info', 'x');
    await shipper.close();
    expect(offset).to.equal(LIMITS.maxLogLinesPerAttempt);
    expect(last?.level).to.equal('warning');
    expect(last?.message).to.match(/the log ends here/);
  });
});
