/** All rules, and what breaks them. */
import type { Evidence, Rule, Violation } from './evidence.js';
import { acknowledgedArtifactsAreThere, artifactsBelongToTheirAttempts, artifactsCanBeRead, noArtifactIsInvented } from './rules/artifacts.js';
import { attemptsAreBounded, attemptsAreNumbered, attemptsHaveOneClaimer, leasesAreKept, oneAttemptAtATime, timeoutsAreNotEarly } from './rules/attempts.js';
import { bulksAreMadeOnce, bulksCountWhatTheyDid, bulksEnd, finishedBulksHaveDoneAll } from './rules/bulk.js';
import { acknowledgedCancelsCount, refusedCancelsFoundAnEnd } from './rules/cancels.js';
import { drainsAreKept, pausesAreKept } from './rules/controls.js';
import { followersAreToldForwards, followersReadEachLineOnce, followersReadTheEnd } from './rules/events.js';
import { acknowledgedLinesAreThere, commandsLinesAreInOrder, noLineIsInvented } from './rules/logs.js';
import { childrenFollowParents, delaysAreKept, dependentsAreCancelledForAParent, everythingEnds, limitsAreKept, prioritiesAreKept, schedulesFireOnce, walksAreWhole } from './rules/order.js';
import { acknowledgedReportsCount, recordedReportsWereMade, reportsCanBeRepeated } from './rules/reports.js';
import { onlyWhatEndedIsRetried, retriesCountOnce, retriesNameTheirOriginals } from './rules/retries.js';
import { attemptsRunOnce, cancelledTasksStop, completedMeansRun, lostTasksStop, onlyClaimedAttemptsRun, overlapOnlyAfterALoss, timedOutTasksStop } from './rules/runs.js';
import { statisticsEqualARecount } from './rules/statistics.js';
import { acknowledgedSubmissionsAreThere, keysHaveOneTask, noSubmissionIsInvented, submissionsCountOnce } from './rules/submissions.js';
import { dedupeAnswersNameTheRightTask, dedupeKeysHaveOneLiveTask, reusedResultsAreThoseOfEqualTasks, whatCanBeReusedIs } from './rules/twins.js';
import { retriedWorkflowsAreWhole, workflowsAreWhole } from './rules/workflows.js';

/** What holds of one snapshot of the database by itself: one outcome for each task, statistics equal to a recount, and so on. */
export const databaseIsSound: Rule = ({ database, samples }) => [...samples.flatMap(({ breaches }) => breaches), ...database.breaches].map((words) => {
  const [taskId] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(words) ?? [null];
  return { rule: 'the database is sound', taskId, words };
});

export const RULES: Readonly<Record<string, Rule>> = {
  databaseIsSound,
  acknowledgedSubmissionsAreThere, noSubmissionIsInvented, submissionsCountOnce, keysHaveOneTask,
  workflowsAreWhole, retriedWorkflowsAreWhole, retriesNameTheirOriginals, retriesCountOnce, onlyWhatEndedIsRetried,
  dedupeKeysHaveOneLiveTask, dedupeAnswersNameTheRightTask, reusedResultsAreThoseOfEqualTasks, whatCanBeReusedIs,
  finishedBulksHaveDoneAll, bulksCountWhatTheyDid, bulksAreMadeOnce, bulksEnd,
  pausesAreKept, drainsAreKept,
  acknowledgedReportsCount, recordedReportsWereMade, reportsCanBeRepeated,
  attemptsAreNumbered, attemptsAreBounded, oneAttemptAtATime, attemptsHaveOneClaimer, timeoutsAreNotEarly, leasesAreKept,
  attemptsRunOnce, onlyClaimedAttemptsRun, completedMeansRun, overlapOnlyAfterALoss, lostTasksStop, cancelledTasksStop, timedOutTasksStop,
  acknowledgedCancelsCount, refusedCancelsFoundAnEnd,
  childrenFollowParents, dependentsAreCancelledForAParent, delaysAreKept, limitsAreKept, prioritiesAreKept, schedulesFireOnce, everythingEnds, walksAreWhole,
  statisticsEqualARecount,
  acknowledgedLinesAreThere, noLineIsInvented, commandsLinesAreInOrder,
  followersReadEachLineOnce, followersReadTheEnd, followersAreToldForwards,
  acknowledgedArtifactsAreThere, noArtifactIsInvented, artifactsBelongToTheirAttempts, artifactsCanBeRead,
};

export function check(evidence: Evidence): Violation[] {
  return Object.values(RULES).flatMap((rule) => rule(evidence));
}
