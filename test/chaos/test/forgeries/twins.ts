/** Two tasks under one dedupe_key, one after the other, the first of which was answered twice; and a result that was taken. */
import { note, noted, submission, task, the, type Draft, type Forgery } from '../forged.js';

const [FIRST, SECOND, SOURCE, TAKER] = ['d-first', 'd-second', 'r-source', 'r-taker'];
const PARAMETERS = { marker: 'equal', ticks: 1, lines: 1, failures: 0 };

export function add(draft: Draft): void {
  const deduped = (at: number, marker: string, id: string, existed: boolean) => ({
    ...noted(at, at + 10), verb: 'submit' as const, key: null, form: 'one' as const, workflowId: null, existed, ids: [id], tasks: [{ ...submission(marker), dedupe_key: 'twins' }],
  });
  const reusing = (at: number, id: string) => ({
    ...noted(at, at + 10), verb: 'submit' as const, key: id, form: 'one' as const, workflowId: null, existed: false, ids: [id],
    tasks: [{ ...submission('equal'), parameters: PARAMETERS, reuse: { max_age_seconds: 3_600 } }],
  });
  note(
    draft,
    deduped(50_000, `marker of ${FIRST}`, FIRST, false), deduped(50_500, 'not made', FIRST, true), deduped(53_000, `marker of ${SECOND}`, SECOND, false),
    reusing(50_000, SOURCE), { ...noted(52_000, 52_010), verb: 'report', how: 'completed', session: 's', taskId: SOURCE, attempt: 1, body: {} }, reusing(53_000, TAKER),
    { ...noted(52_000, 52_010), verb: 'cancel', taskId: FIRST },
  );
  const { database } = draft;
  database.tasks.push(
    { ...task(FIRST, 50_005), dedupeKey: 'twins' }, { ...task(SECOND, 53_005), dedupeKey: 'twins' },
    ...[SOURCE, TAKER].map((id, n) => ({ ...task(id, 50_005 + 3_000 * n), marker: 'equal', parameters: { ...PARAMETERS }, reuseSeconds: 3_600 })),
  );
  const ended = (taskId: string, endedAt: number) => ({ taskId, attempt: 0, sessionId: 's', endedAt, error: null });
  database.outcomes.push(
    { ...ended(FIRST, 52_005), status: 'cancelled', reason: 'cancel_requested', result: null, reusedFrom: null },
    { ...ended(SECOND, 60_000), status: 'cancelled', reason: 'cancel_requested', result: null, reusedFrom: null },
    { ...ended(SOURCE, 52_005), attempt: 1, status: 'completed', reason: null, result: {}, reusedFrom: null },
    { ...ended(TAKER, 53_005), status: 'completed', reason: 'reused', result: {}, reusedFrom: SOURCE },
  );
  database.attempts.push({ taskId: SOURCE, attempt: 1, sessionId: 's', startedAt: 51_000, endedAt: 52_005, outcome: 'completed', error: null });
}

const row = ({ database }: Draft, id: string) => the(database.tasks, (one) => one.id === id);
const outcome = ({ database }: Draft, id: string) => the(database.outcomes, ({ taskId }) => taskId === id);

export const FORGERIES: readonly Forgery[] = [
  ['submissionsCountOnce', 'a key made two equal tasks', ({ database }) => database.tasks.push({ ...task('third', 53_006), marker: 'equal' })],
  ['dedupeKeysHaveOneLiveTask', 'the first was still live', (draft) => (outcome(draft, FIRST).endedAt = 54_000)],
  ['dedupeAnswersNameTheRightTask', 'it has another key', (draft) => (row(draft, FIRST).dedupeKey = 'other')],
  ['dedupeAnswersNameTheRightTask', 'the task was made all the same', ({ database }) => database.tasks.push({ ...task('x', 50_505), marker: 'not made' })],
  ['dedupeAnswersNameTheRightTask', 'the task had ended', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'submit' && one.ids.includes(SECOND)), { ids: [FIRST], existed: true })],
  ['reusedResultsAreThoseOfEqualTasks', 'the other had failed', (draft) => (outcome(draft, SOURCE).status = 'failed')],
  ['reusedResultsAreThoseOfEqualTasks', 'the other had taken it itself', (draft) => (outcome(draft, SOURCE).reason = 'reused')],
  ['reusedResultsAreThoseOfEqualTasks', 'the parameters were others', (draft) => (row(draft, SOURCE).parameters = { ...PARAMETERS, ticks: 2 })],
  ['reusedResultsAreThoseOfEqualTasks', 'the result is another', (draft) => (outcome(draft, TAKER).result = { x: 1 })],
  ['reusedResultsAreThoseOfEqualTasks', 'it was too old', (draft) => (outcome(draft, SOURCE).endedAt = -4_000_000)],
  ['reusedResultsAreThoseOfEqualTasks', 'nobody wished for it', (draft) => (row(draft, TAKER).reuseSeconds = null)],
  ['reusedResultsAreThoseOfEqualTasks', 'it ran', ({ database }) => database.attempts.push({ ...the(database.attempts, ({ taskId }) => taskId === SOURCE), taskId: TAKER })],
  ['whatCanBeReusedIs', 'it ran itself', (draft) => Object.assign(outcome(draft, TAKER), { reason: null, reusedFrom: null })],
];
