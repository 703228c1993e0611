/**
 * Tasks that the API counts as a session's and that its worker does not know of: the answer to a claim never came, or a copy of an
 * answered claim came late and took another task. Nobody runs such a task, so it is handed back. Heartbeats tell of them.
 */
import type { components } from '@task-executor/shared';

export type UnnamedAttempt = components['schemas']['UnnamedAttempt'];

export class Strays {
  #suspects = new Set<string>();

  /**
   * Of the attempts that a heartbeat's answer has as not named, those to be handed back: unknown now and at the answer before. What
   * is unknown once may have ended between the API's look and this one.
   */
  find(unnamed: readonly UnnamedAttempt[], isKnown: (one: UnnamedAttempt) => boolean): UnnamedAttempt[] {
    const before = this.#suspects;
    const unknown = unnamed.filter((one) => !isKnown(one));
    const keyOf = ({ task_id, attempt }: UnnamedAttempt): string => `${task_id}/${attempt}`;
    this.#suspects = new Set(unknown.map(keyOf));
    return unknown.filter((one) => before.has(keyOf(one)));
  }
}
