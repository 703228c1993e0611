/** What counts as a fault of an upgrade: also that nothing was tried of it. */
import { expect } from 'chai';
import { Load } from './load.js';
import { faults } from './report.js';
import type { Upgrade } from './upgrade.js';

const SOUND: [string, [number, number][]][] = [
  ['before old', [[201, 60], [409, 1]]], ['beside old', [[201, 90], [503, 2]]], ['beside new', [[201, 9]]], ['between old', [[0, 4]]], ['after old', [[201, 60], [200, 20]]],
];

function upgradeWith(refusal: string | null, answers: readonly [string, [number, number][]][]): Upgrade {
  const load = new Load();
  for (const [key, counts] of answers) load.answers.set(key, new Map(counts));
  return {
    level: { name: '1', commit: 'abc' }, refusal, load, exitCode: 0,
    findings: { tasks: 1, lost: 0, unfinished: 0, wrong: 0, broken: [], unreadable: 0, byOldWorker: 1 },
  };
}

const changed = (key: string, counts: [number, number][]): [string, [number, number][]][] => SOUND.map(([name, old]) => [name, name === key ? counts : old]);

describe('the report of an upgrade', () => {
  it('finds no fault in one that went well, beside the earlier API or after its stop', () => {
    expect(faults(upgradeWith(null, SOUND))).to.deep.equal([]);
    expect(faults(upgradeWith('Stop every API of an earlier version', SOUND.filter(([key]) => key !== 'beside new')))).to.deep.equal([]);
  });

  it('finds what failed, and what passes only while an API goes', () => {
    for (const [key, counts] of [['beside old', [[201, 1], [500, 1]]], ['before old', [[201, 1], [503, 1]]], ['after old', [[201, 1], [0, 1]]]] as [string, [number, number][]][]) {
      expect(faults(upgradeWith(null, changed(key, counts))), key).to.have.length(1);
    }
  });

  it('finds that nothing was submitted where something had to be', () => {
    for (const key of ['before old', 'beside old', 'beside new', 'after old']) expect(faults(upgradeWith(null, changed(key, [[200, 5]]))), key).to.have.length(1);
  });
});
