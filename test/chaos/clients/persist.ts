/** What all careful clients do: ask until there is an answer. */
import type { Random } from '../random.js';
import { call, type Answer } from './call.js';
import type { Submission, Submit } from './history.js';
import type { World } from './world.js';

/** What a client is made of. */
export interface ClientParts {
  readonly name: string;
  readonly url: string;
  readonly world: World;
  readonly random: Random;
}

const TRIES = 40;

/** Asks until somebody answers, or the tries are used up. What is asked has to be safe to repeat. */
export async function untilAnswered(world: World, random: Random, ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (answer.result !== 'unknown' || tries === TRIES) return answer;
    await world.pause(random.between(100, 600));
  }
}

/** Submits a batch under a key until it is answered; the ids of its tasks, or none. */
export async function submitTogether({ name, url, world, random }: ClientParts, key: string, tasks: readonly Submission[]): Promise<readonly string[]> {
  let ids: readonly string[] = [];
  await untilAnswered(world, random, async () => {
    const noted = world.history.begin<Submit>(name, { verb: 'submit', key, tasks, form: 'batch', ids: [], workflowId: null, existed: false });
    const answer = await call(url, { method: 'POST', path: '/api/v1/tasks/batch', body: { tasks }, headers: { 'idempotency-key': key } });
    if (answer.result === 'ok') noted.ids = (answer.body as { tasks: { id: string }[] }).tasks.map(({ id }) => id);
    world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
    ids = noted.ids;
    return answer;
  });
  return ids;
}
