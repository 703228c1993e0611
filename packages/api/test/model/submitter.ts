/** The steps of a history that submit: one task, a batch, a workflow, and what is run again. */
import { expect } from 'chai';
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import type { Answer } from '../support/api.js';
import { check } from './check.js';
import type { Expected, Model } from './model.js';
import type { SpecWithParents, StepOf } from './steps.js';
import type { Given, Item } from './submissions.js';
import type { Moment, Spec } from './task.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const HOUR_MS = 3_600_000;
type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

const at = (moment: NonNullable<Moment>): string => new Date(Date.now() + (moment === 'future' ? HOUR_MS : -HOUR_MS)).toISOString();

/** What every submission of a task says, wherever it stands. */
function commonBody(spec: Spec, byDelay: boolean): Record<string, unknown> {
  return {
    problem_id: spec.problem, parameters: spec.parameters, backend_type: spec.backend, priority: spec.priority, labels: spec.labels,
    max_lost: spec.maxLost, retry: { max_attempts: spec.maxAttempts, initial_seconds: spec.backoffSeconds, jitter: 0 },
    ...(spec.start === null ? {} : byDelay && spec.start === 'future' ? { delay_seconds: HOUR_MS / 1000 } : { run_at: at(spec.start) }),
    ...(spec.expires === null ? {} : { expires_at: at(spec.expires) }),
    on_dependency_failure: spec.runAnyway ? 'run_anyway' : 'cancel',
  };
}

function bodyOf(spec: Spec, parents: readonly string[], byDelay = false): Record<string, unknown> {
  return {
    ...commonBody(spec, byDelay),
    ...(parents.length === 0 ? {} : { depends_on: parents }),
    ...(spec.dedupeKey === null ? {} : { dedupe_key: spec.dedupeKey }),
    ...(spec.reuseSeconds === null ? {} : { reuse: { max_age_seconds: spec.reuseSeconds } }),
  };
}

const isContradictory = ({ spec, needs }: Item): boolean => spec.reuseSeconds !== null && needs.length > 0;

export class Submitter {
  readonly #model: Model;
  readonly #db: Database;
  readonly #call: Call;

  constructor(model: Model, db: Database, call: Call) {
    this.#model = model;
    this.#db = db;
    this.#call = call;
  }

  async submit({ spec, parents, missing, byDelay }: StepOf<'submit'>): Promise<void> {
    const item = this.#item({ spec, parents });
    const ids = item.needs.map(({ parent }) => String(parent));
    const answer = await this.#call('POST', '/tasks', bodyOf(spec, missing ? [...ids, UNKNOWN] : ids, byDelay));
    const refused = (missing && this.#model.twins([item])[0] === null) || isContradictory(item) || (missing && spec.reuseSeconds !== null);
    if (refused) check(answer, { status: 422, code: 'validation_failed' });
    else await this.#one(item, answer);
  }

  async batch(items: readonly SpecWithParents[]): Promise<void> {
    const wanted = items.map((item) => this.#item(item));
    const answer = await this.#call('POST', '/tasks/batch', {
      tasks: wanted.map(({ spec, needs }) => bodyOf(spec, needs.map(({ parent }) => String(parent)))),
    });
    if (wanted.some(isContradictory)) {
      check(answer, { status: 422, code: 'validation_failed' });
      return;
    }
    expect(answer.status).to.equal(201);
    const results = answer.body.tasks as { id: string; created: boolean }[];
    const twins = this.#model.twins(wanted);
    expect(results.map(({ created }) => created)).to.deep.equal(twins.map((twin) => twin === null));
    for (const [n, twin] of twins.entries()) {
      if (twin !== null) expect(results[n]?.id).to.equal(typeof twin === 'string' ? twin : results[twin]?.id);
    }
    this.#model.submit(wanted, await this.#given(results.map(({ id, created }) => (created ? id : null))));
  }

  async workflow(items: readonly SpecWithParents[]): Promise<void> {
    // Workflows have no reuse and no dedupe_key; tasks depend on earlier ones, by name.
    const wanted = items.map(({ spec, parents }, n): Item => ({
      spec: { ...spec, dedupeKey: null, reuseSeconds: null },
      needs: n === 0 ? [] : [...new Set(parents.map((pick) => pick % n))].map((parent) => ({ parent, name: `t${parent}` })),
    }));
    const answer = await this.#call('POST', '/workflows', {
      tasks: wanted.map(({ spec, needs }, n) => ({ name: `t${n}`, ...commonBody(spec, false), depends_on: needs.map(({ name }) => name) })),
    });
    await this.#storeWorkflow(wanted, answer);
  }

  async ofWorkflow(verb: 'cancelWorkflow' | 'retryWorkflow', pick: number): Promise<void> {
    const ids = [...this.#model.workflows.keys()];
    const id = ids[pick % Math.max(1, ids.length)];
    if (id === undefined) return;
    if (verb === 'cancelWorkflow') {
      expect((await this.#call('POST', `/workflows/${id}/cancel`)).status).to.equal(200);
      this.#model.cancelWorkflow(id);
      return;
    }
    const answer = await this.#call('POST', `/workflows/${id}/retry`);
    const again = this.#model.retryWorkflow(id);
    if (Array.isArray(again)) await this.#storeWorkflow(again, answer);
    else check(answer, again);
  }

  async retry(id: string): Promise<void> {
    const answer = await this.#call('POST', `/tasks/${id}/retry`);
    const again = this.#model.retry(id);
    if (isExpected(again)) check(answer, again);
    else await this.#one(again, answer);
  }

  /** The answer to the submission of `item` alone. */
  async #one(item: Item, answer: Answer): Promise<void> {
    const [twin] = this.#model.twins([item]);
    if (typeof twin === 'string') {
      expect([answer.status, answer.body.id]).to.deep.equal([200, twin]);
      return;
    }
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    const [task] = this.#model.submit([item], await this.#given([answer.body.id as string]));
    check(answer, { status: 201, ...(task === undefined ? {} : { task }) });
  }

  async #storeWorkflow(items: readonly Item[], answer: Answer): Promise<void> {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    const ids = (answer.body.tasks as { task_id: string }[]).map(({ task_id: id }) => id);
    this.#model.workflows.set(answer.body.id as string, ids);
    const views = this.#model.submit(items, await this.#given(ids));
    expect((answer.body.tasks as { status: string }[]).map(({ status }) => status)).to.deep.equal(views.map(({ status }) => status));
  }

  /** Parents are any tasks that there are, each once. */
  #item({ spec, parents }: SpecWithParents): Item {
    const { all } = this.#model.tasks;
    const ids = all.length === 0 ? [] : [...new Set(parents.map((pick) => all[pick % all.length]!.id))];
    return { spec, needs: ids.map((id) => ({ parent: id, name: id })) };
  }

  /** What the database gave the tasks `ids`; null stays null. */
  async #given(ids: readonly (string | null)[]): Promise<(Given | null)[]> {
    const { rows } = await sql<{ id: string; created_at: Date; run_at: Date | null }>`
      select id, created_at, run_at from tasks where id = any (${ids.filter((id) => id !== null)}::uuid[])`.execute(this.#db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => {
      const row = id === null ? undefined : byId.get(id);
      return row === undefined ? null : { id: row.id, createdAtMs: row.created_at.getTime(), runAtMs: row.run_at?.getTime() ?? null };
    });
  }
}

function isExpected(value: Item | Expected): value is Expected {
  return 'status' in value;
}
