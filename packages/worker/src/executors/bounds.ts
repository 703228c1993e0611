/** What a task's program may do to its worker, at most. Those that a catalog can change are defaults here. */
export const BOUNDS = {
  /** Characters of a log line; what is longer becomes several lines. */
  maxLineChars: 16_384,
  /** What a program may write to its log, to stdout and stderr together; the rest is read and thrown away. */
  outputLines: 200_000,
  outputMib: 64,
  /** The end of what was thrown away, which is kept all the same. */
  maxTailBytes: 16 * 1024,
  maxTailLines: 50,
  /** Characters of a failed program's last words. */
  maxQuotedChars: 500,
  /** Below what a body may have, LIMITS.maxBodyBytes. */
  maxResultBytes: 900 * 1024,

  /** What may be read from an events file in all, and one event. */
  maxEventsBytes: 64 * 1024 * 1024,
  maxEventBytes: 64 * 1024,
  /** Lines that are no events which are shown; more are counted. */
  maxShownGarbage: 10,
  eventsPollMs: 250,

  /** How many processes a container may have. */
  containerProcesses: 1_024,

  /** The time between TERM and KILL. */
  graceSeconds: 5,
  /** How long a command that looks whether the host is fit may take, and one that tidies up after a task. */
  healthSeconds: 20,
  cleanupSeconds: 60,
  /** How long a stream may be silent, after its program's end, before it is taken for held open by a grandchild. */
  quietMs: 1_000,
  /** Somebody who goes on writing after so many of these is not the program. */
  maxQuiets: 10,
  probeMs: 5_000,
  /** A host with less room for scratch folders is not fit. */
  minFreeMib: 16,
} as const;
