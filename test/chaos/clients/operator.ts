/**
 * Holds things back for a while and lets them go again: problems of its own, of which it submits tasks before and meanwhile, now and
 * then the whole queue, and workers.
 */
import { call, type Answer } from './call.js';
import { ask, Client, type ClientParts } from './client.js';
import type { Control } from './history.js';
import { RANKED_PROBLEM } from '../settings.js';
import { makeSubmission } from './submissions.js';

/** So many, each of so many ticks, that they cannot begin together. */
const RANKED_TASKS = 24;
const RANKED_TICKS = 30;
const PRIORITIES = 11;
/** Stands for all problems, as a target. */
const WHOLE_QUEUE = '';
/** Of so many pauses one is of the whole queue. */
const PAUSES_OF_ALL = 6;
const TASKS = 2;

export class Operator extends Client {
  readonly #what: Control['what'];
  readonly #held = new Set<string>();
  #rounds = 0;

  /** `what`: whether it pauses or drains. */
  constructor({ what, ...parts }: ClientParts & { readonly what: Control['what'] }) {
    super(parts);
    this.#what = what;
  }

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(500, 2_000));
      if (this.world.isFull || this.world.isOver) continue;
      this.#rounds += 1;
      if (this.#what === 'drain') await this.#drain();
      else if (this.#rounds % PAUSES_OF_ALL === 0) await this.#hold(WHOLE_QUEUE, 1_000);
      else await this.#pauseOwn();
    }
  }

  /** Lets go of whatever it ever held: a call that was late may have come after all. */
  async letGo(): Promise<void> {
    for (const target of this.#held) await this.#ask(target, false);
  }

  /** Lets many tasks of all priorities go at one moment, when nothing is broken that would hold one back. */
  async rank(): Promise<void> {
    this.#held.add(RANKED_PROBLEM);
    await this.untilAnswered(() => this.#ask(RANKED_PROBLEM, true));
    const tasks = Array.from({ length: RANKED_TASKS }, (_one, n) => {
      const marker = `${this.name}.ranked.${n + 1}`;
      return { ...makeSubmission(this.random, marker, []), problem_id: RANKED_PROBLEM, priority: n % PRIORITIES, parameters: { marker, ticks: RANKED_TICKS, lines: 1, failures: 0 } };
    });
    await this.submitTogether(`${this.name}.ranked`, this.random.shuffled(tasks));
    await this.untilAnswered(() => this.#ask(RANKED_PROBLEM, false));
  }

  async #pauseOwn(): Promise<void> {
    const problem = `chaos-${this.name}-${this.#rounds}`;
    await this.#submit(problem, 'before');
    await this.#hold(problem, this.random.between(1_000, 3_000), () => this.#submit(problem, 'meanwhile'));
  }

  async #drain(): Promise<void> {
    const answer = await call(this.url, { method: 'GET', path: '/api/v1/workers' });
    if (answer.result !== 'ok') return;
    const all = (answer.body as { workers: { id: string; status: string }[] }).workers;
    const busy = all.filter(({ status }) => status === 'busy');
    const live = busy.length > 0 ? busy : all.filter(({ status }) => status !== 'offline');
    if (live.length > 0) await this.#hold(this.random.pick(live).id, this.random.between(1_500, 4_000));
  }

  async #hold(target: string, ms: number, meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.#held.add(target);
    await this.untilAnswered(() => this.#ask(target, true));
    await meanwhile();
    await this.world.pause(ms);
    await this.untilAnswered(() => this.#ask(target, false));
  }

  async #submit(problem: string, when: string): Promise<void> {
    const tasks = Array.from({ length: TASKS }, (_one, n) => ({ ...makeSubmission(this.random, `${problem}.${when}.${n + 1}`, []), problem_id: problem, priority: 10 }));
    await this.submitTogether(`${problem}.${when}`, tasks);
  }

  #ask(target: string, on: boolean): Promise<Answer> {
    return ask<Control>(this, { verb: 'control', what: this.#what, on, target }, this.#what === 'drain'
      ? { method: 'POST', path: `/api/v1/workers/${target}/${on ? 'drain' : 'resume'}` }
      : { method: 'POST', path: `/api/v1/queue/${on ? 'pause' : 'resume'}`, body: target === WHOLE_QUEUE ? {} : { problem_id: target } });
  }
}
