/** The numbers of a run. Leases and intervals are short, so that two minutes hold what a fleet sees in weeks. */

export const REPLICAS = 3;
export const WORKERS = 6;
export const WORKER_CONCURRENCY = 2;
/** So many workers have a small disk of their own, where this host lets us make one. */
export const SMALL_DISKS = 2;
export const DISK_MIB = 24;
export const MIN_FREE_MIB = 4;

export const LEASE_SECONDS = 5;
export const HEARTBEAT_SECONDS = 1;
export const SWEEP_MS = 250;
/** Between TERM and KILL of a task's command. */
export const GRACE_SECONDS = 1;
/** A worker ends an attempt by itself so long after its timeout (packages/worker/src/running/attempt.ts). */
export const TIMEOUT_MARGIN_SECONDS = 2;
/** What a busy machine may add to any of these before we call it a mistake. */
export const SLACK_SECONDS = 4;

/** What a command does between two ticks (task.sh), and how many it takes for one that has to be stopped: it goes on beyond any bound. */
export const TICK_MS = 100;
export const LONG_TICKS = 300;

/** Of the tasks of all priorities that are let go together at the end, and of no others. */
export const RANKED_PROBLEM = 'chaos-ranked';

/** How long the rest may take to finish once the nemesis has stopped: a hanging claim has 35 seconds, a few of them may follow. */
export const SETTLE_SECONDS = 180;
/** Tasks that have not ended, above which submitters wait. */
export const MAX_OPEN_TASKS = 60;
/** How many tasks of the limited lane may run at once. */
export const LIMITED_LANE = 2;
