/** What counts as covered: each counter counts what its name says, and nothing that only looks like it. */
import { expect } from 'chai';
import { coverageOf, uncovered } from '../checker/coverage.js';
import { CHILD, GONE, note, noted, OTHER, PARENT, SESSION, soundHistory, the, type Draft } from './forged.js';

const run = ({ runs }: Draft, taskId: string, attempt: number) => the(runs, (one) => one.taskId === taskId && one.attempt === attempt);
const task = ({ database }: Draft, id: string) => the(database.tasks, (one) => one.id === id);

describe('the coverage of chaos', () => {
  it('counts the commands that would have gone on, not those that came to their end by themselves', () => {
    const draft = soundHistory();
    const counted = (): number[] => ['lost', 'cancelled', 'timed-out'].map((how) => coverageOf(draft)[`${how} commands that had to be stopped`] ?? -1);
    expect(counted()).to.deep.equal([0, 0, 0]);
    for (const id of [PARENT, GONE]) task(draft, id).parameters = { ticks: 300 };
    expect(counted()).to.deep.equal([1, 1, 0]);
    the(draft.database.attempts, ({ taskId }) => taskId === GONE).outcome = 'timeout';
    expect(counted()).to.deep.equal([1, 0, 1]);
    task(draft, GONE).parameters = { ticks: 40 };
    expect(counted()).to.deep.equal([1, 0, 0]);
  });

  it('counts commands under a limit, not tasks that have labels', () => {
    const draft = soundHistory();
    task(draft, GONE).labels = { set: 'one' };
    expect(coverageOf(draft)['commands under a limit']).to.equal(1);
    draft.runs.splice(draft.runs.indexOf(run(draft, CHILD, 1)), 1);
    expect(coverageOf(draft)['commands under a limit']).to.equal(0);
  });

  it('counts walks under way, and no pause that is there in every run', () => {
    const draft = soundHistory();
    expect(coverageOf(draft)['walks to the end while others submitted']).to.equal(0);
    Object.assign(the(draft.operations, (one) => one.verb === 'walk'), { began: 205 });
    expect(coverageOf(draft)['walks to the end while others submitted']).to.equal(1);
    const pause = (target: string) => ({ ...noted(60_000, 60_010), verb: 'control' as const, what: 'pause' as const, on: true, target });
    note(draft, pause('chaos-ranked'));
    expect(coverageOf(draft)['pauses']).to.equal(0);
    note(draft, pause('chaos-pauses-1'));
    expect(coverageOf(draft)['pauses']).to.equal(1);
  });

  it('counts what was answered again', () => {
    const draft = soundHistory();
    expect([coverageOf(draft)['keys of submissions answered again'], coverageOf(draft)['reports answered again']]).to.deep.equal([1, 0]);
    const report = the(draft.operations, (one) => one.verb === 'report' && one.session === OTHER && one.taskId === PARENT);
    note(draft, report);
    expect(coverageOf(draft)['reports answered again']).to.equal(1);
    expect(coverageOf(draft)['stale reports refused']).to.equal(1);
    the(draft.operations, (one) => one.verb === 'report' && one.session === SESSION).code = 'task_not_found';
    expect(coverageOf(draft)['stale reports refused']).to.equal(0);
  });

  it('names what never happened, kinds of faults too', () => {
    const draft = soundHistory();
    draft.troubles.push({ kind: 'kill_api', on: 'api-1', words: '', from: 1, until: 2 });
    const missing = uncovered(coverageOf(draft), ['kill_api', 'kill_worker']);
    expect(missing).to.include.members(['fault: kill_worker', 'artifacts acknowledged']).and.not.include.members(['fault: kill_api', 'leases lost']);
  });
});
