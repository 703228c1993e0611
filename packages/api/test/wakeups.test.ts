/** Waking: what a batch of tasks costs those who wait, what others are told, and when an appetite is no longer known to find nothing. */
import { expect } from 'chai';
import { pino } from 'pino';
import { openDatabases } from '../src/db/database.js';
import { Listener, type Topic } from '../src/db/listener.js';
import { Wakeups, type Appetite } from '../src/waiting/wakeups.js';
import { countedAppetite, NOBODY } from './support/appetites.js';

const log = pino({ level: 'silent' });

class TellTale extends Listener {
  readonly told: Promise<string>;
  #tell: (payload: string) => void = () => undefined;

  constructor() {
    super(null, log);
    this.told = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  override notify(_topic: Topic, payload: string): void {
    this.#tell(payload);
  }
}

describe('wakeups', () => {
  // Nobody is there: these tests do not poll, so nothing is asked of it.
  const databases = openDatabases('postgresql://127.0.0.1:1/none', { lease: 1, general: 1 }, log);
  let listener: TellTale;
  let wakeups: Wakeups;
  beforeEach(() => {
    listener = new TellTale();
    wakeups = new Wakeups(databases.general, listener, log);
  });
  afterEach(() => wakeups.stop());
  after(() => databases.close());

  const announce = (problem: string): void => {
    wakeups.announce({ problem_id: problem, backend_type: '' });
  };
  /** Resolves once a round has answered all that was announced before. */
  const round = async (): Promise<void> => {
    const last = wakeups.enter({ globs: ['the-last'], backendType: 'kind' });
    announce('the-last');
    expect(await last?.wait(10_000, NOBODY)).to.equal(true);
    if (last !== null) wakeups.leave(last);
  };

  it('compares a batch once for each of its lanes with each appetite', async () => {
    const count = { compared: 0 };
    for (let n = 0; n < 2_000; n++) wakeups.enter(countedAppetite(count, `other-${n % 3}-*`));
    for (let n = 0; n < 3; n++) wakeups.foundNothing(countedAppetite(count, `other-${n}-*`), wakeups.news);
    wakeups.foundNothing(countedAppetite(count, 'nobody-*'), wakeups.news);
    for (let n = 0; n < 1_000; n++) announce(`mine-${n % 5}`);
    await round();
    // Those that wait and the one that nobody waits with, for five lanes and the last.
    expect(count.compared).to.be.within(4 * 5, 4 * 6);
  });

  it('wakes one for each task, the first that came first, and tells others of the tasks that are left', async () => {
    const here = Array.from({ length: 3 }, () => wakeups.enter({ globs: ['mine-*'], backendType: 'kind' }));
    for (let n = 0; n < 2; n++) announce('mine-1');
    await round();
    expect(here.map((waiter) => waiter?.woken)).to.deep.equal([true, true, false]);
    for (let n = 0; n < 4; n++) announce('mine-1');
    for (let n = 0; n < 2; n++) wakeups.passOn({ problem_id: 'mine-1', backend_type: '' });
    expect(JSON.parse(await listener.told)).to.deep.equal(['mine-1', '', 4]);
  });

  it('hands a task for which one is woken that has no room to the next, and wakes it for none until its worker is freed', async () => {
    const [full, other] = [1, 2].map(() => wakeups.enter({ globs: ['mine-*'], backendType: 'kind' }));
    announce('mine-1');
    await round();
    expect([full, other].map((waiter) => waiter?.woken)).to.deep.equal([true, false]);
    wakeups.isFull(full!, 'worker-001-kind');
    wakeups.handOn(full!.takeLane());
    await round();
    expect(other?.woken).to.equal(true);
    for (const waiter of [full, other]) await waiter?.wait(0, NOBODY);
    announce('mine-1');
    announce('mine-1');
    await round();
    expect([full, other].map((waiter) => waiter?.woken)).to.deep.equal([false, true]);
    wakeups.freed(['worker-002-kind', 'worker-001-kind']);
    expect(full?.woken).to.equal(true);
  });

  it('knows an appetite to find nothing until a round has shown that no news is about it', async () => {
    const mine: Appetite = { globs: ['mine-*'], backendType: 'kind' };
    wakeups.foundNothing(mine, wakeups.news);
    expect(wakeups.isDry(mine)).to.equal(true);
    announce('other-1');
    expect(wakeups.isDry(mine)).to.equal(false);
    await round();
    expect(wakeups.isDry(mine)).to.equal(true);
    wakeups.passOn({ problem_id: 'mine-1', backend_type: '' });
    expect(wakeups.isDry(mine)).to.equal(true);
    announce('mine-1');
    await round();
    expect(wakeups.isDry(mine)).to.equal(false);
  });

  it('does not take a claim for up to date that was sent before the news', async () => {
    const mine: Appetite = { globs: ['mine-*'], backendType: 'kind' };
    const { news } = wakeups;
    announce('other-1');
    await round();
    wakeups.foundNothing(mine, news);
    expect(wakeups.isDry(mine)).to.equal(false);
  });

  it('stops amid a round', async () => {
    const waiters = Array.from({ length: 100 }, (_one, n) => wakeups.enter({ globs: [`mine-${n}`], backendType: 'kind' }));
    for (let n = 0; n < 100; n++) announce(`mine-${n}`);
    await wakeups.stop();
    expect(waiters.every((waiter) => waiter?.dismissed)).to.equal(true);
    expect(wakeups.enter({ globs: [], backendType: 'kind' })).to.equal(null);
  });
});
