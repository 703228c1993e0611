/**
 * Every number that makes a run long or short, in one place: `short` takes minutes, `full` takes an hour or more, `smoke`
 * shows only that the benchmark works and measures nothing.
 */
const SHORT = {
  /** How long a load lasts, its warm-up, and how often each contender takes its turn. */
  seconds: 5,
  warmUpSeconds: 1,
  repeats: 3,
  /** Each load begins on a fresh database with a fresh API; otherwise all share one. */
  fresh: true,
  drainTasks: 50_000,
  simpleTasks: 20_000,
  latencySamples: 300,
  /** Finished tasks, and over how many problems and workers. */
  history: { tasks: 100_000, problems: 100, workers: 20, drainTasks: 20_000, reads: 100 },
  backlog: { tasks: 100_000, smallTasks: 5_000, problems: 1_000, claims: 500 },
  fleet: { workers: 1_000, settleSeconds: 12, seconds: 25, probes: 100 },
  snapshotSeconds: 30,
  logs: { stored: 1_000_000, reads: 100 },
  replicas: 3,
  /** Finished tasks of each database, over how many problems and workers; pending tasks; runs of each statement. */
  explain: { finished: [0, 10_000, 100_000], problems: 100, workers: 20, pending: 1_000, warmUp: 15, calls: 20 },
};

const FULL = {
  ...SHORT,
  seconds: 15,
  warmUpSeconds: 3,
  repeats: 5,
  simpleTasks: 50_000,
  latencySamples: 2_000,
  history: { tasks: 10_000_000, problems: 1_000, workers: 50, drainTasks: 50_000, reads: 300 },
  backlog: { tasks: 1_000_000, smallTasks: 12_000, problems: 1_000, claims: 1_000 },
  /**
   * Settled when every worker has come back once, after the usual wait of a claim, and the heap of the API, which grew with the
   * registrations, has been tidied: some seconds of CPU, once.
   */
  fleet: { workers: 10_000, settleSeconds: 120, seconds: 120, probes: 300 },
  snapshotSeconds: 300,
  logs: { stored: 10_000_000, reads: 300 },
  explain: { ...SHORT.explain, finished: [0, 10_000, 10_000_000], problems: 1_000, workers: 50 },
};

const SMOKE = {
  seconds: 0.1,
  warmUpSeconds: 0,
  repeats: 1,
  fresh: false,
  drainTasks: 300,
  simpleTasks: 32,
  latencySamples: 3,
  history: { tasks: 500, problems: 5, workers: 3, drainTasks: 100, reads: 1 },
  backlog: { tasks: 400, smallTasks: 100, problems: 20, claims: 10 },
  fleet: { workers: 20, settleSeconds: 0, seconds: 0.5, probes: 3 },
  snapshotSeconds: 0.2,
  logs: { stored: 1_000, reads: 1 },
  replicas: 2,
  explain: { finished: [0, 200], problems: 5, workers: 3, pending: 500, warmUp: 0, calls: 1 },
};

export const SIZES = { short: SHORT, full: FULL, smoke: SMOKE };

/** What does not change with the length of a run. */
export const CONNECTIONS = 50;
export const BULK_TASKS = 1_000;
export const BULK_IN_FLIGHT = 4;
/** How many tasks a worker process runs at a time: as many as the contract lets. */
export const WORKER_TASKS = 1_000;
export const SIMPLE_CLIENTS = 16;
export const LOG_BATCH_LINES = 500;
export const LOG_IN_FLIGHT = 8;
/** Bytes of a task's parameters as JSON. */
export const PAYLOAD_BYTES = 200;
