/** The standing orders of the model, schedules and bulk operations: what is asked of them, and what a round does for them. Pure. */
import { BULK_PIECE } from '../support/sweeper.js';
import type { Born } from './born.js';
import { nextOf, pieceOf, type BulkFilter, type ModelBulk } from './bulk.js';
import { dueOf, submits, type ModelSchedule, type ScheduleChanges } from './schedules.js';
import { retriedTogether, twinsOf, type Given, type Item } from './submissions.js';
import { isLive } from './task.js';
import type { Tasks } from './tasks.js';

export class Standing {
  readonly schedules: ModelSchedule[] = [];
  readonly bulk: ModelBulk[] = [];
  readonly #tasks: Tasks;
  readonly #submit: (items: readonly Item[], given: readonly (Given | null)[]) => readonly unknown[];
  #turns = 0;

  constructor(tasks: Tasks, submit: (items: readonly Item[], given: readonly (Given | null)[]) => readonly unknown[]) {
    this.#tasks = tasks;
    this.#submit = submit;
  }

  /** The schedule is due now; `missed`: longer ago than it may be late. */
  makeDue(schedule: ModelSchedule, missed: boolean): void {
    schedule.due = { missed, turn: ++this.#turns };
  }

  changeSchedule(schedule: ModelSchedule, changes: ScheduleChanges): void {
    const resumes = schedule.paused && changes.paused === false;
    if (resumes || (changes.cron !== null && changes.cron !== schedule.cron)) schedule.due = null;
    Object.assign(schedule, Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null)));
  }

  beginBulk(id: string, action: ModelBulk['action'], filter: BulkFilter): void {
    const until = this.#tasks.all.map((task) => task.id).sort().at(-1) ?? null;
    this.bulk.push({ id, action, filter, state: 'running', reached: null, until, examined: 0, changed: 0, turn: ++this.#turns });
  }

  /** Fires what is due, in order, and does the next piece of one bulk operation. */
  sweep(born: Born): void {
    for (const schedule of dueOf(this.schedules)) this.#fire(schedule, born);
    const operation = nextOf(this.bulk);
    if (operation !== null) this.#advance(operation, born);
  }

  #fire(schedule: ModelSchedule, born: Born): void {
    const { id, spec, lastTask } = schedule;
    const overlaps = lastTask !== null && isLive(this.#tasks.get(lastTask));
    if (submits(schedule, overlaps)) {
      const given = born.ofSchedule(id);
      if (given === null) throw new Error(`the schedule ${id} made no task`);
      this.#submit([{ spec, needs: [], scheduleId: id }], [given]);
      schedule.lastTask = given.id;
      schedule.fires += 1;
    } else schedule.skips += 1;
    schedule.due = null;
  }

  #advance(operation: ModelBulk, born: Born): void {
    const { piece, hasMore } = pieceOf(operation, this.#tasks.all, BULK_PIECE);
    if (operation.action === 'cancel') {
      for (const task of piece) this.#tasks.cancel(task);
      this.#tasks.settle();
      operation.changed += piece.length;
    } else {
      const unretried = piece.filter(({ id }) => this.#tasks.all.every(({ retryOf }) => retryOf !== id));
      const { again, items } = retriedTogether(unretried, this.#tasks.all);
      const twins = twinsOf(items, this.#tasks.all);
      operation.changed += this.#submit(items, again.map(({ id }, n) => (twins[n] === null ? born.retryOf(id) : null))).length;
    }
    operation.examined += piece.length;
    operation.reached = piece.at(-1)?.id ?? operation.reached;
    operation.turn = ++this.#turns;
    if (!hasMore) operation.state = 'done';
  }
}
