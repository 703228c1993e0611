/** The steps of a history about what goes on without a client: schedules, bulk operations, and the rounds that do their work. */
import { expect } from 'chai';
import type { Database } from '../../src/db/database.js';
import type { Answer } from '../support/api.js';
import type { Sweep } from '../support/sweeper.js';
import { commonBody } from './bodies.js';
import { bornBeside } from './born.js';
import { isVain } from './bulk.js';
import { check } from './check.js';
import type { Model } from './model.js';
import type { ModelSchedule } from './schedules.js';
import { CRONS, picked, type StepOf } from './steps.js';
import type { Submitter, Call } from './submitter.js';
import { moveTime } from './time.js';

export class Background {
  readonly #model: Model;
  readonly #db: Database;
  readonly #call: Call;
  readonly #create: Submitter['create'];
  readonly #sweep: Sweep;

  constructor({ model, db, call, submitter, sweep }: { model: Model; db: Database; call: Call; submitter: Submitter; sweep: Sweep }) {
    this.#model = model;
    this.#db = db;
    this.#call = call;
    this.#create = (...request) => submitter.create(...request);
    this.#sweep = sweep;
  }

  async sweep(): Promise<void> {
    await this.#sweep();
    this.#model.sweep(await bornBeside(this.#model.tasks.all.map(({ id }) => id), this.#db));
  }

  async schedule({ spec, overlap, misfire, paused, keyed }: StepOf<'schedule'>): Promise<void> {
    const fired = { ...spec, start: null, expires: null, runAnyway: false, dedupeKey: null, reuseSeconds: null };
    const { on_dependency_failure: none, ...task } = commonBody(fired, false);
    expect(none).to.equal('cancel');
    const [cron] = CRONS;
    const answer = await this.#create('/schedules', { cron, task, overlap, misfire, paused }, keyed);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    const schedule = { id: answer.body.id as string, spec: fired, cron, overlap, misfire, paused, due: null, lastTask: null, fires: 0, skips: 0 };
    this.#model.standing.schedules.push(schedule);
    expectSchedule(answer, schedule);
  }

  async ofSchedule(step: StepOf<'changeSchedule' | 'unschedule' | 'due'>): Promise<void> {
    const { schedules } = this.#model.standing;
    const schedule = picked(schedules, step.pick);
    if (schedule === undefined) return;
    const path = `/schedules/${schedule.id}`;
    if (step.verb === 'due') {
      await moveTime(this.#db, step.missed ? 'miss' : 'fire', schedule.id);
      this.#model.standing.makeDue(schedule, step.missed);
    } else if (step.verb === 'unschedule') {
      expect((await this.#call('DELETE', path)).status).to.equal(204);
      schedules.splice(schedules.indexOf(schedule), 1);
      check(await this.#call('GET', path), { status: 404, code: 'schedule_not_found' });
    } else await this.#change(schedule, path, step);
  }

  async #change(schedule: ModelSchedule, path: string, { changes }: StepOf<'changeSchedule'>): Promise<void> {
    const body = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
    const answer = await this.#call('PATCH', path, body);
    if (Object.keys(body).length === 0) {
      check(answer, { status: 422, code: 'validation_failed' });
      return;
    }
    this.#model.standing.changeSchedule(schedule, changes);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    expectSchedule(answer, schedule);
  }

  async bulk({ action, filter, keyed }: StepOf<'bulk'>): Promise<void> {
    const answer = await this.#create('/bulk-operations', { action, filter }, keyed);
    if (isVain(action, filter)) {
      check(answer, { status: 422, code: 'validation_failed' });
      return;
    }
    expect(answer.status, JSON.stringify(answer.body)).to.equal(202);
    expect(answer.body).to.include({ action, state: 'running', examined: 0, changed: 0, ended_at: null });
    this.#model.standing.beginBulk(answer.body.id as string, action, filter);
  }

  async stopBulk({ pick }: StepOf<'stopBulk'>): Promise<void> {
    const operation = picked(this.#model.standing.bulk, pick);
    if (operation === undefined) return;
    const answer = await this.#call('POST', `/bulk-operations/${operation.id}/stop`);
    if (operation.state !== 'running') {
      check(answer, { status: 409, code: 'bulk_operation_ended' });
      return;
    }
    operation.state = 'stopped';
    const { id, action, state, examined, changed } = operation;
    expect(answer.status).to.equal(200);
    expect(answer.body).to.include({ id, action, state, examined, changed });
  }
}

function expectSchedule({ body }: Answer, { id, cron, overlap, misfire, paused, lastTask, fires, skips }: ModelSchedule): void {
  expect(body).to.include({ id, cron, overlap, misfire, paused, last_task_id: lastTask, fires, skips });
}
