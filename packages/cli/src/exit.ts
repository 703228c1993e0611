/** How the program ends: exit codes that scripts can go by, and the failures that lead to them. */

export const EXIT = {
  ok: 0,
  /** A task that was waited for ended as failed, timeout or cancelled. */
  unsuccessful: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unreachable: 5,
  refused: 6,
  waitedTooLong: 7,
  bug: 70,
  file: 74,
  interrupted: 130,
  pipeClosed: 141,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for `--help` and the documentation. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.unsuccessful, 'a task that was waited for ended as failed, timeout or cancelled'],
  [EXIT.usage, 'the command line, a file or the request is not as it must be'],
  [EXIT.notFound, 'there is no such task, workflow, schedule, limit or worker'],
  [EXIT.conflict, 'what is there does not allow it, such as cancelling a task that has ended'],
  [EXIT.unreachable, 'the API does not answer, or has no database'],
  [EXIT.refused, 'the API refused or failed otherwise'],
  [EXIT.waitedTooLong, 'the time that --for gave the wait is over'],
  [EXIT.bug, 'a mistake of this program'],
  [EXIT.file, 'a file cannot be written'],
  [EXIT.interrupted, 'interrupted with Ctrl-C (143: terminated)'],
  [EXIT.pipeClosed, 'the reader of the output went away'],
];

/** A failure about one of several things, which it names. */
export class FailureOf extends Error {
  readonly id: string;

  constructor(id: string, cause: unknown) {
    super(id, { cause });
    this.id = id;
  }
}

/** A failure that the user can mend: its message is shown, without a stack. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
