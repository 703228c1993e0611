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

  maxParallelTasks: 1_000,
  maxSupportedProblems: 100,
  maxWorkersPage: 1_000,
  maxMetadataBytes: 16 * 1024,
  maxClaimWaitSeconds: 30,
  maxRequestIdChars: 64,
  maxInternalWorkers: 50,

  maxStatsKeys: 1_000,

  maxBodyBytes: 1024 * 1024,
  maxJsonDepth: 64,
  maxJsonNodes: 100_000,
} as const;
