/**
 * Every two verbs that may meet at a task, in both orders, at the point that matters: the first has run its statement and not
 * committed when the second comes. PostgreSQL's own locks hold it there, and its own views say when the second waits or is
 * through; then the first commits. What comes of it must be what comes of the two one after the other, whichever is first; or
 * of the first alone, where the second leaves locked rows to others. What that is, is not written down but tried.
 */
import { expect } from 'chai';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';
import { setScene, settle, stateOf, type Scene } from './races/scene.js';
import { together } from './races/together.js';
import { statesOf, VERBS, type Verb } from './races/verbs.js';

/** What two verbs did, and what has become of the task. */
interface End {
  readonly first: string;
  readonly second: string;
  readonly state: string;
}

/** Whether `second` may have to wait for `first`; otherwise it leaves to others what they have locked. */
const mayWait = (first: Verb, second: Verb): boolean => !second.skips || (second === first && second.takesTurns === true);

describe('races', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let databases: Databases;
  let db: Database;
  before(async () => {
    database = await createTestDatabase();
    databases = openDatabases(database.url, { lease: 1, general: 4 }, pino({ level: 'silent' }));
    db = databases.general;
  });
  after(async () => {
    await databases.close();
    await database.drop();
  });

  async function prepared(state: 'pending' | 'running', ...verbs: Verb[]): Promise<Scene> {
    const scene = await setScene(db, state);
    for (const verb of new Set(verbs)) await verb.prepare?.(db, scene);
    return scene;
  }

  async function atOnce(first: Verb, second: Verb, scene: Scene): Promise<End> {
    const { waited, ...words } = await together(databases, (transaction) => first.act(transaction, scene), (other) => second.act(other, scene));
    expect(waited && !mayWait(first, second), 'waited for a row that another has locked').to.equal(false);
    await settle(db);
    return { ...words, state: await stateOf(db, scene) };
  }

  async function inTurn(verbs: readonly Verb[], scene: Scene): Promise<string[]> {
    const words: string[] = [];
    for (const verb of verbs) words.push(await verb.act(db, scene));
    await settle(db);
    return [...words, await stateOf(db, scene)];
  }

  for (const [firstName, first] of Object.entries(VERBS)) {
    describe(`${firstName}, not committed, and`, () => {
      for (const [secondName, second] of Object.entries(VERBS)) {
        for (const state of statesOf(first, second)) {
          it(`${secondName} of a ${state} task`, async () => {
            const end = await atOnce(first, second, await prepared(state, first, second));
            const [one, other, after] = await inTurn([first, second], await prepared(state, first, second)) as [string, string, string];
            const [otherFirst, oneLast, afterOther] = await inTurn([second, first], await prepared(state, first, second)) as [string, string, string];
            const allowed: End[] = [{ first: one, second: other, state: after }, { first: oneLast, second: otherFirst, state: afterOther }];
            if (second.skips) {
              const [alone, afterAlone] = await inTurn([first], await prepared(state, first, second)) as [string, string];
              allowed.push({ first: alone, second: 'nothing', state: afterAlone });
            }
            expect(allowed, `came of it: ${JSON.stringify(end)}`).to.deep.include(end);
            await expectInvariants(db, { settled: false });
          });
        }
      }
    });
  }
});
