/**
 * The claims of one session, one after another: each hangs at the API until there is a task. The same request id goes with
 * every try of a claim until a definite answer came, so a claim whose answer was lost gets its tasks again; where it could not be
 * tried again at once for want of room, they are handed back meanwhile, and the next claim is a new one. So is the one after an answer
 * that is too large to read, which would come again: its tasks go back as those that no claim brought (see strays.ts).
 */
import { randomUUID } from 'node:crypto';
import { AnswerTooLarge } from '@task-executor/shared';
import { isRefusal, sayUnanswered } from '../calls/answer.js';
import { pause, retryDelayMs } from '../calls/retry.js';
import type { Task } from '../executors/executor.js';
import type { WorkerLog } from '../log.js';

/** What the loop needs of its session. */
export interface Claimer {
  /** How long a claim should wait, where the API says. */
  readonly waitSeconds: number | undefined;
  /** One call, for as many tasks as there is room for; null where it is to be made again at once. @throws ApiError, ApiUnreachable */
  claim(waitSeconds: number, requestId: string, stop: AbortSignal): Promise<readonly Task[] | null>;
  /** Resolves when a task may be taken, or `stop` aborts, with whether there was room all along. */
  ready(stop: AbortSignal): Promise<boolean>;
  /** Takes a task. */
  begin(task: Task): void;
  /** Hands back a task that came when none may be taken any more. */
  refuse(task: Task): void;
  /** Whether the session is over, be it because of `error`. */
  isOver(error?: unknown): boolean;
  /** Told of every claim: what it got. */
  counted(result: 'task' | 'nothing' | 'failed'): void;
}

/** How long a claim waits where the API does not say. */
const WAIT_SECONDS = 20;
const LAST_CLAIM_MS = 2_000;
const CLAIM_RETRY = { initialMs: 200, maxMs: 10_000 };
/** The waits between claims that got nothing though they did not wait: the API may have no room for one that hangs. */
const IDLE = { initialMs: 250, maxMs: 2_000 };

/** Claims until `stop` aborts or the session is over. */
export async function claimLoop(claimer: Claimer, log: WorkerLog, stop: AbortSignal): Promise<void> {
  const { waitSeconds = WAIT_SECONDS } = claimer;
  let failures = 0;
  let early = 0;
  let requestId = randomUUID();
  /** Whether a claim under `requestId` may have taken a task that we do not know of. */
  let open = false;
  while (!stop.aborted) {
    const hadRoom = await claimer.ready(stop);
    if (stop.aborted) break;
    if (!hadRoom) requestId = randomUUID();
    const began = performance.now();
    try {
      open = true;
      const tasks = await claimer.claim(waitSeconds, requestId, stop);
      if (tasks === null) continue;
      open = false;
      failures = 0;
      requestId = randomUUID();
      claimer.counted(tasks.length === 0 ? 'nothing' : 'task');
      for (const task of tasks) claimer.begin(task);
      if (tasks.length > 0) {
        early = 0;
        continue;
      }
      early = performance.now() - began < (waitSeconds * 1000) / 2 ? early + 1 : 0;
      if (early > 0) await pause(retryDelayMs(null, early, IDLE), stop);
    } catch (error) {
      if (stop.aborted) break;
      if (claimer.isOver(error)) return;
      // An answer that will not change is definite, too: nothing was taken, or nothing of it will be begun.
      if (error instanceof AnswerTooLarge || isRefusal(error)) {
        open = false;
        requestId = randomUUID();
      }
      failures += 1;
      claimer.counted('failed');
      if (error instanceof AnswerTooLarge) {
        const message = 'a claim brought more than can be read; its tasks are handed back, and fewer are asked for';
        log.error({ event: 'claim_too_large', error: String(error) }, message);
      } else {
        log.warn({ event: 'claim_failed', error: String(error) }, sayUnanswered('a claim was not answered', error));
      }
      await pause(retryDelayMs(error, failures, CLAIM_RETRY), stop);
    }
  }
  if (open && !claimer.isOver()) await resolveLast(claimer, requestId, log);
}

/** Asks once more, without waiting, for what a claim that was cut off may have taken; else it would wait for its timeout. */
async function resolveLast(claimer: Claimer, requestId: string, log: WorkerLog): Promise<void> {
  try {
    const tasks = await claimer.claim(0, requestId, AbortSignal.timeout(LAST_CLAIM_MS));
    for (const task of tasks ?? []) claimer.refuse(task);
  } catch (error) {
    if (!claimer.isOver(error)) log.debug({ event: 'claim_unresolved', error: String(error) }, 'the last claim was not answered');
  }
}
