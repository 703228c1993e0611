/** What all careful clients do: ask until there is an answer. */
import type { Random } from '../random.js';
import type { Answer } from './call.js';
import type { World } from './world.js';

const TRIES = 40;

/** Asks until somebody answers, or the tries are used up. What is asked has to be safe to repeat. */
export async function untilAnswered(world: World, random: Random, ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (answer.result !== 'unknown' || tries === TRIES) return answer;
    await world.pause(random.between(100, 600));
  }
}
