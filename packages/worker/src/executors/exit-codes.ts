/**
 * Exit codes that mean more than failure, both as sysexits.h has them; shells and signals use neither. They are what a program
 * of any language can say without knowing of this worker.
 */
export const EXIT_CODES = {
  /** EX_DATAERR, "the input data was incorrect": another attempt on the same task would fail, too. */
  permanent: 65,
  /** EX_UNAVAILABLE, "a service is unavailable": this host cannot do it. Only of programs around a task, not of a task's own. */
  unfit: 69,
} as const;
