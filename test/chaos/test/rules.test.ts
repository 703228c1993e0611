/** Each rule can fail: a sound history breaks none, and each forgery of it breaks the rule that it is about. */
import { expect } from 'chai';
import { RULES } from '../checker/check.js';
import { STOP_MS } from '../checker/rules/runs.js';
import { storyAbout, storyOf } from '../checker/story.js';
import { LONG_TICKS, TICK_MS } from '../settings.js';
import { CHILD, GONE, OTHER, PARENT, SESSION, SCHEDULE, soundHistory as basis, the, type Draft, type Forgery } from './forged.js';
import * as artifacts from './forgeries/artifacts.js';
import * as bulk from './forgeries/bulk.js';
import * as controls from './forgeries/controls.js';
import * as events from './forgeries/events.js';
import * as statistics from './forgeries/statistics.js';
import * as twins from './forgeries/twins.js';
import * as workflows from './forgeries/workflows.js';

/** What is sound about each subject, and how it is forged. */
const SUBJECTS = [workflows, twins, bulk, controls, events, artifacts, statistics];

function soundHistory(): Draft {
  const draft = basis();
  for (const { add } of SUBJECTS) add(draft);
  return draft;
}

const attempt = ({ database }: Draft, taskId: string, n: number) => the(database.attempts, (row) => row.taskId === taskId && row.attempt === n);
const outcome = ({ database }: Draft, taskId: string) => the(database.outcomes, (row) => row.taskId === taskId);
const task = ({ database }: Draft, id: string) => the(database.tasks, (row) => row.id === id);
const run = ({ runs }: Draft, taskId: string, n: number) => the(runs, (one) => one.taskId === taskId && one.attempt === n);
const report = ({ operations }: Draft, session: string) => the(operations, (one) => one.verb === 'report' && one.session === session && one.taskId === PARENT);
const addTask = (draft: Draft, id: string, more: Partial<Draft['database']['tasks'][number]>): void => {
  draft.database.tasks.push({ ...task(draft, GONE), id, ...more });
};
/** A run of another task of the limited lane while the child runs. */
const addLimited = (draft: Draft): void => {
  addTask(draft, 'limited', { labels: { lane: 'narrow' } });
  draft.runs.push({ ...run(draft, CHILD, 1), taskId: 'limited' });
};

const FORGERIES: readonly Forgery[] = [
  ['databaseIsSound', 'a query found a breach', ({ database }) => database.breaches.push('x')],
  ['databaseIsSound', 'a query found a breach under way', ({ samples }) => samples.push({ at: 1, breaches: ['x'] })],
  ['acknowledgedSubmissionsAreThere', 'an acknowledged task is gone', ({ database }) => database.tasks.shift()],
  ['acknowledgedSubmissionsAreThere', 'it is another task', (draft) => (task(draft, GONE).problemId = 'chaos-b')],
  ['acknowledgedSubmissionsAreThere', 'its parameters are others', (draft) => (task(draft, GONE).parameters = { marker: `marker of ${GONE}` })],
  ['acknowledgedSubmissionsAreThere', 'it depends on nothing', (draft) => (task(draft, CHILD).parents = [])],
  ['acknowledgedSubmissionsAreThere', 'it has lost its labels', (draft) => (task(draft, CHILD).labels = {})],
  ['acknowledgedSubmissionsAreThere', 'its delay was forgotten', ({ operations }) => {
    const submit = the(operations, (one) => one.verb === 'submit' && one.ids.includes(GONE));
    if (submit.verb === 'submit') submit.tasks = submit.tasks.map((one) => ({ ...one, delay_seconds: 3 }));
  }],
  ['acknowledgedSubmissionsAreThere', 'its priority is another', ({ operations }) => {
    const submit = the(operations, (one) => one.verb === 'submit' && one.ids.includes(GONE));
    if (submit.verb === 'submit') submit.tasks = submit.tasks.map((one) => ({ ...one, priority: 9 }));
  }],
  ['noSubmissionIsInvented', 'a task that nobody submitted', (draft) => {
    addTask(draft, 'x', { marker: 'nobody' });
  }],
  ['submissionsCountOnce', 'a submission is there twice', (draft) => {
    addTask(draft, 'x', {});
  }],
  ['submissionsCountOnce', 'a refused submission is there', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'submit' && one.ids.includes(GONE)), { result: 'fail', ids: [] })],
  ['keysHaveOneTask', 'a key was answered with two tasks', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'submit' && one.began === 150), { ids: [CHILD] })],
  ['acknowledgedReportsCount', 'a stale report was acknowledged', (draft) => Object.assign(report(draft, SESSION), { result: 'ok', code: null })],
  ['acknowledgedReportsCount', 'the result is another', (draft) => (outcome(draft, PARENT).result = { marker: 'x' })],
  ['acknowledgedReportsCount', 'the outcome is another', (draft) => (outcome(draft, PARENT).status = 'cancelled')],
  ['acknowledgedReportsCount', 'the attempt never ended', ({ database }) => database.attempts.splice(1, 1)],
  ['acknowledgedReportsCount', 'the error of a failed attempt is another', (draft) => {
    Object.assign(report(draft, OTHER), { how: 'failed', body: { error: 'no' } });
    Object.assign(attempt(draft, PARENT, 2), { outcome: 'failed', error: 'other' });
  }],
  ['acknowledgedReportsCount', 'the error of a task that failed is another', (draft) => {
    Object.assign(report(draft, OTHER), { how: 'failed', body: { error: 'no' } });
    Object.assign(attempt(draft, PARENT, 2), { outcome: 'failed', error: 'no' });
    Object.assign(outcome(draft, PARENT), { status: 'failed', reason: 'task_failed', error: 'other' });
  }],
  ['recordedReportsWereMade', 'nobody reported it', ({ operations }) => operations.splice(operations.findIndex((one) => one.verb === 'report' && one.session === OTHER), 1)],
  ['reportsCanBeRepeated', 'a report that counts was refused', (draft) => draft.operations.push({ ...report(draft, OTHER), result: 'fail', code: 'attempt_not_held' })],
  ['attemptsAreNumbered', 'a gap', (draft) => (attempt(draft, PARENT, 2).attempt = 3)],
  ['attemptsAreBounded', 'it was lost more often than it may be', (draft) => (task(draft, PARENT).maxLost = 0)],
  ['attemptsAreBounded', 'it failed more often than it may', (draft) => {
    attempt(draft, PARENT, 1).outcome = 'failed';
    task(draft, PARENT).maxAttempts = 0;
  }],
  ['oneAttemptAtATime', 'the second begins before the first has ended', (draft) => (attempt(draft, PARENT, 2).startedAt = 16_000)],
  ['attemptsHaveOneClaimer', 'two sessions got one attempt', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'claim' && one.began === 20_000), { claimed: { taskId: PARENT, attempt: 1 } })],
  ['timeoutsAreNotEarly', 'a timeout after a second', (draft) => (attempt(draft, GONE, 1).outcome = 'timeout')],
  ['leasesAreKept', 'lost within its lease', (draft) => (attempt(draft, PARENT, 1).endedAt = 2_000)],
  ['attemptsRunOnce', 'one attempt ran twice', (draft) => draft.runs.push({ ...run(draft, CHILD, 1), host: 'host-1' })],
  ['onlyClaimedAttemptsRun', 'an attempt ran that there is not', (draft) => draft.runs.push({ ...run(draft, CHILD, 1), attempt: 2 })],
  ['completedMeansRun', 'what is completed did not end', (draft) => (run(draft, CHILD, 1).ended = false)],
  ['overlapOnlyAfterALoss', 'the lost one ran on for a minute', (draft) => (run(draft, PARENT, 1).lastSeen = 77_000)],
  ['overlapOnlyAfterALoss', 'the earlier one was not taken away', (draft) => {
    attempt(draft, PARENT, 1).outcome = 'failed';
    run(draft, PARENT, 1).lastSeen = 21_000;
  }],
  ['lostTasksStop', 'the lost one ran on, and no other began', (draft) => {
    run(draft, PARENT, 1).lastSeen = 77_000;
    draft.runs.splice(draft.runs.indexOf(run(draft, PARENT, 2)), 1);
  }],
  ['cancelledTasksStop', 'the cancelled one ran on', (draft) => (run(draft, GONE, 1).lastSeen = 60_000)],
  ['timedOutTasksStop', 'the timed-out one ran on', (draft) => {
    attempt(draft, GONE, 1).outcome = 'timeout';
    run(draft, GONE, 1).lastSeen = 60_000;
  }],
  ['acknowledgedCancelsCount', 'it was completed', (draft) => (outcome(draft, GONE).status = 'completed')],
  ['acknowledgedCancelsCount', 'it ended only afterwards', (draft) => (outcome(draft, GONE).endedAt = 29_000)],
  ['refusedCancelsFoundAnEnd', 'it had not ended', (draft) => (outcome(draft, GONE).endedAt = 29_000)],
  ['childrenFollowParents', 'the child began before', (draft) => (attempt(draft, CHILD, 1).startedAt = 21_000)],
  ['childrenFollowParents', 'its command began before', (draft) => (run(draft, CHILD, 1).began = 21_000)],
  ['childrenFollowParents', 'a command of an attempt before its last began before', (draft) => {
    draft.runs.unshift({ ...run(draft, CHILD, 1), began: 21_000, attempt: 0 });
  }],
  ['dependentsAreCancelledForAParent', 'its parent completed', (draft) => Object.assign(outcome(draft, CHILD), { status: 'cancelled', reason: 'dependency_failed' })],
  ['dependentsAreCancelledForAParent', 'it was to run anyway', (draft) => {
    Object.assign(outcome(draft, CHILD), { status: 'cancelled', reason: 'dependency_failed' });
    outcome(draft, PARENT).status = 'failed';
    task(draft, CHILD).runAnyway = true;
  }],
  ['delaysAreKept', 'it began before its time', (draft) => (task(draft, GONE).runAt = 90_000)],
  ['limitsAreKept', 'two ran under a limit of one', addLimited],
  ['prioritiesAreKept', 'a higher one waited', (draft) => {
    addTask(draft, 'high', { priority: 9, createdAt: 0 });
    draft.database.tasks.push({ ...task(draft, GONE), id: 'low', priority: 1 });
    draft.database.attempts.push({ ...attempt(draft, GONE, 1), taskId: 'low', startedAt: 25_000 }, { ...attempt(draft, GONE, 1), taskId: 'high', startedAt: 90_000 });
  }],
  ['prioritiesAreKept', 'a higher one waited, of those that were let go together', (draft) => {
    for (const [id, priority, startedAt] of [['low', 0, 30_000], ['high', 9, 33_000]] as const) {
      addTask(draft, id, { problemId: 'chaos-ranked', priority, createdAt: 29_000 });
      draft.database.attempts.push({ ...attempt(draft, GONE, 1), taskId: id, startedAt });
    }
  }],
  ['schedulesFireOnce', 'a fire too few', ({ database }) => (the(database.schedules, ({ id }) => id === SCHEDULE).nextAt = 10_000)],
  ['schedulesFireOnce', 'a task too many', (draft) => {
    addTask(draft, 'x', { scheduleId: SCHEDULE });
  }],
  ['schedulesFireOnce', 'it fired before its time', (draft) => {
    Object.assign(the(draft.database.schedules, ({ id }) => id === SCHEDULE), { fires: 1, nextAt: 10_000 });
    addTask(draft, 'x', { scheduleId: SCHEDULE, createdAt: 4_900 });
  }],
  ['everythingEnds', 'a task is left', ({ database }) => database.queue.push({ taskId: GONE, state: 'pending', attempt: 1, startedAt: null })],
  ['walksAreWhole', 'a task was missed', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'walk'), { ids: [PARENT, GONE] })],
  ['walksAreWhole', 'a task came twice', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'walk'), { ids: [PARENT, CHILD, CHILD, GONE] })],
  ['walksAreWhole', 'a task came before one that is older', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'walk'), { ids: [PARENT, GONE, CHILD] })],
  ['walksAreWhole', 'it saw a task that is not there', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'walk'), { ids: [PARENT, CHILD, GONE, 'x'] })],
  ['acknowledgedLinesAreThere', 'a line is gone', ({ database }) => database.logs.pop()],
  ['acknowledgedLinesAreThere', 'a line is there twice', ({ database }) => database.logs.unshift({ taskId: PARENT, line: 1, attempt: 2, message: '1' })],
  ['noLineIsInvented', 'a line that nobody sent', ({ database }) => database.logs.push({ taskId: PARENT, line: 3, attempt: 2, message: 'x' })],
  ['noLineIsInvented', 'another session sent it', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'logs'), { session: SESSION })],
  ['commandsLinesAreInOrder', 'two lines in the other order', ({ database }) => database.logs.reverse()],
  ...SUBJECTS.flatMap(({ FORGERIES: more }) => more),
];

describe('the rules of chaos', () => {
  for (const [name, rule] of Object.entries(RULES)) {
    it(`${name}: is not broken by a sound history`, () => {
      expect(rule(soundHistory())).to.deep.equal([]);
    });
  }

  for (const [name, what, forge] of FORGERIES) {
    it(`${name}: is broken where ${what}`, () => {
      const draft = soundHistory();
      forge(draft);
      const violations = RULES[name]?.(draft) ?? [];
      expect(violations).to.not.be.empty;
      // A breach that a query found is a row, and speaks for itself.
      if (name === 'databaseIsSound') return;
      for (const { taskId, about, words } of violations) expect(taskId === null ? storyAbout(about ?? '', draft, 0) : storyOf(taskId, draft, 0), words).to.not.be.empty;
    });
  }

  for (const [name, what, doubt] of controls.DOUBTS) {
    it(`${name}: is not broken where ${what}`, () => {
      const draft = soundHistory();
      doubt(draft);
      expect(RULES[name]?.(draft)).to.deep.equal([]);
    });
  }

  it('have a forgery each', () => {
    expect([...new Set(FORGERIES.map(([name]) => name))].sort()).to.deep.equal(Object.keys(RULES).sort());
  });

  it('let a paused worker run on until it can hear', () => {
    const draft = soundHistory();
    run(draft, PARENT, 1).lastSeen = 77_000;
    draft.troubles.push({ kind: 'pause_worker', on: 'host-1', words: '', from: 16_000, until: 76_000 });
    for (const name of ['overlapOnlyAfterALoss', 'lostTasksStop']) expect(RULES[name]?.(draft), name).to.deep.equal([]);
  });

  it('are about commands that go on for longer than they may', () => {
    // Those that time out after a second, and those of the stopper, which are cancelled after twelve at most.
    expect(LONG_TICKS * TICK_MS).to.be.above(12_000 + STOP_MS);
  });

  it('let one late fire stand for those that an outage left out', () => {
    const draft = soundHistory();
    Object.assign(the(draft.database.schedules, ({ id }) => id === SCHEDULE), { fires: 1, firstAt: 5_000, nextAt: 100_000 });
    draft.database.tasks.push({ ...task(draft, GONE), id: 'late', scheduleId: SCHEDULE, createdAt: 20_000 });
    expect(RULES['schedulesFireOnce']?.(draft)).to.not.be.empty;
    task(draft, 'late').createdAt = 95_100;
    expect(RULES['schedulesFireOnce']?.(draft)).to.deep.equal([]);
  });

  it('are told as a story, in order', () => {
    const story = storyOf(PARENT, soundHistory(), 0).join('\n');
    const places = ['submitted', 'attempt 1 begins', 'attempt 1 is lost', 'attempt 2 begins', 'ok: report', 'fail (attempt_not_held)'].map((words) => story.indexOf(words));
    expect(places).to.deep.equal([...places].sort((a, b) => a - b)).and.not.include(-1);
  });

  it('are told with their ends, however long they are', () => {
    const draft = soundHistory();
    for (let n = 0; n < 200; n++) draft.troubles.push({ kind: `trouble ${n}`, on: 'host-1', words: '', from: 2_000 + n, until: 3_000 + n });
    const story = storyOf(PARENT, draft, 0);
    expect(story).to.have.length(121);
    expect(story[0]).to.include('asks: submit');
    expect(story.at(-1)).to.include('ok: download');
  });
});
