/**
 * Every bound of the contract, with its unit in its name. The bounds in openapi.yaml are equal to these (a test proves
 * it); those that a schema cannot express (bytes, depth) are enforced by the API from here.
 */
export const LIMITS = {
  maxProblemIdChars: 255,
  maxBackendTypeChars: 64,
  minPriority: 0,
  maxPriority: 10,
  maxTimeoutSeconds: 7 * 24 * 3600,
  maxAttempts: 100,
  maxLost: 100,
  defaultMaxLost: 3,
  maxAttemptNumber: 1_000_000,
  maxNameBytes: 255,
  maxNameChars: 255,
  maxLabels: 32,
  maxLabelKeyChars: 63,
  maxLabelValueChars: 255,
  maxLabelBytes: 1_024,
  maxBackoffSeconds: 7 * 24 * 3600,
  maxBackoffFactor: 100,
  maxDelaySeconds: 366 * 24 * 3600,
  maxReuseSeconds: 2_147_483_647,
  maxDependencies: 1_000,
  maxDependencyBytes: 4 * 1024 * 1024,
  maxWorkflowTasks: 2_000,
  /** Dependencies of all tasks of a workflow, or of a batch, together: what one statement can store in its time. */
  maxSubmittedDependencies: 100_000,
  maxBatchTasks: 1_000,
  maxIdempotencyKeyChars: 255,
  maxErrorChars: 20_000,
  maxReleaseReasonChars: 1_000,

  maxPageSize: 100,
  defaultPageSize: 20,
  maxPage: 5_000,
  maxCursorChars: 512,
  maxCountedTasks: 10_000,

  maxLogPageLines: 1_000,
  defaultLogPageLines: 100,
  maxLogBatchLines: 1_000,
  maxLogMessageChars: 65_536,
  maxLogLinesPerAttempt: 1_000_000,

  maxProgressMessageChars: 1_000,
  maxProgressMetrics: 50,
  maxProgressMetricNameChars: 64,
  maxTaskWaitSeconds: 30,

  /** What the contract allows; an operator may allow less (see the configuration of the API). */
  maxArtifactBytes: 5 * 1024 ** 3,
  maxArtifactNameChars: 255,
  maxMediaTypeChars: 127,

  maxParallelTasks: 1_000,
  maxSupportedProblems: 100,
  maxWorkersPage: 1_000,
  maxMetadataBytes: 16 * 1024,
  maxUnfitChars: 1_000,
  maxClaimWaitSeconds: 120,
  /** The wait of a claim that stands for the heartbeats of a worker that runs nothing. */
  maxIdleClaimWaitSeconds: 600,
  maxHeartbeatWaitSeconds: 30,
  maxClaimedTasks: 200,
  /** The parameters of all that a claim takes; one task is taken whatever it has. */
  maxClaimedBytes: 16 * 1024 ** 2,
  /** The results that all tasks of a claim are given; what is left out is read one by one. */
  maxClaimedDependencyBytes: 16 * 1024 ** 2,
  defaultClaimedTasks: 10,
  maxReports: 1_000,
  maxRequestIdChars: 64,
  maxInternalWorkers: 50,

  maxStatsKeys: 1_000,
  maxFilterLabels: 10,
  maxLimits: 100,
  maxLimitValues: 100,
  maxLimitRunning: 1_000_000,
  maxPauses: 1_000,
  maxPauseReasonChars: 1_000,
  maxSchedules: 10_000,
  maxCronChars: 255,
  maxTimezoneChars: 64,
  maxNextRuns: 5,
  maxListedSchedules: 100,
  maxBulkOperations: 100,
  maxListedBulkOperations: 100,
  maxExplained: 100,
  maxCountedAhead: 10_000,

  maxBodyBytes: 1024 * 1024,
  maxJsonDepth: 64,
  maxJsonNodes: 100_000,
  /** Bodies that hold many tasks. */
  maxBulkBodyBytes: 16 * 1024 * 1024,
  maxBulkJsonNodes: 1_000_000,
  /** The rows of one page together, where there is more than one; it holds sixteen of the largest tasks. */
  maxPageBytes: 32 * 1024 * 1024,
} as const;
