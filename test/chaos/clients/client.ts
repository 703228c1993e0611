/** What all clients of a run are made of, and how they ask: each operation is noted before it is sent, and again when it is answered. */
import type { Random } from '../random.js';
import { call, type Answer, type Request } from './call.js';
import type { Asked, Operation, Submission, Submit } from './history.js';
import type { World } from './world.js';

/** Who asks, and where. */
export interface Asker {
  /** In the history. */
  readonly name: string;
  readonly url: string;
  readonly world: World;
}

export interface ClientParts extends Asker {
  readonly random: Random;
}

/** What was answered to a call that succeeded. */
type Success = Extract<Answer, { readonly result: 'ok' }>;

const TRIES = 40;

/** Asks once; `take` adds to the operation what the answer says of it. */
export async function ask<O extends Operation>({ name, url, world: { history } }: Asker, asked: Asked<O>, request: Request, take: (noted: O, answer: Success) => void = () => undefined): Promise<Answer> {
  const noted = history.begin<O>(name, asked);
  const answer = await call(url, request);
  if (answer.result === 'ok') take(noted, answer);
  history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
  return answer;
}

/** Submits once, under `key` unless it is null; the answer, and the ids of the tasks, or none. */
export async function submit(asker: Asker, key: string | null, tasks: readonly Submission[], form: 'one' | 'batch'): Promise<{ answer: Answer; ids: readonly string[] }> {
  let ids: readonly string[] = [];
  const answer = await ask<Submit>(asker, { verb: 'submit', key, tasks, form, ids, workflowId: null, existed: false }, {
    method: 'POST', path: form === 'batch' ? '/api/v1/tasks/batch' : '/api/v1/tasks', body: form === 'batch' ? { tasks } : tasks[0],
    ...(key === null ? {} : { headers: { 'idempotency-key': key } }),
  }, (noted, { status, body }) => {
    ids = noted.ids = form === 'batch' ? (body as { tasks: { id: string }[] }).tasks.map(({ id }) => id) : [(body as { id: string }).id];
    noted.existed = form === 'one' && status === 200;
  });
  return { answer, ids };
}

export abstract class Client implements Asker {
  readonly name: string;
  readonly url: string;
  readonly world: World;
  protected readonly random: Random;

  constructor({ name, url, world, random }: ClientParts) {
    this.name = name;
    this.url = url;
    this.world = world;
    this.random = random;
  }

  /** Asks until somebody answers, or the tries are used up. What is asked has to be safe to repeat. */
  protected async untilAnswered(once: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const answer = await once();
      if (answer.result !== 'unknown' || tries === TRIES) return answer;
      await this.world.pause(this.random.between(100, 600));
    }
  }

  /** Submits a batch under a key until it is answered; the ids of its tasks, or none. */
  protected async submitTogether(key: string, tasks: readonly Submission[]): Promise<readonly string[]> {
    let ids: readonly string[] = [];
    await this.untilAnswered(async () => {
      const made = await submit(this, key, tasks, 'batch');
      ids = made.ids;
      return made.answer;
    });
    return ids;
  }
}
