/** The steps of a history that submit: one task, a batch, a workflow, what is run again, and all of it repeated under its key. */
import { expect } from 'chai';
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import type { Answer } from '../support/api.js';
import { bodyOf, commonBody } from './bodies.js';
import { check } from './check.js';
import { Keys, type KeptItem } from './keys.js';
import type { Expected, Model } from './model.js';
import { picked, type SpecWithParents, type StepOf } from './steps.js';
import type { Given, Item } from './submissions.js';

/** The id of no task. */
export const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

const isContradictory = ({ spec, needs }: Item): boolean => spec.reuseSeconds !== null && needs.length > 0;

export class Submitter {
  readonly #model: Model;
  readonly #db: Database;
  readonly #call: Call;
  readonly #keys = new Keys();

  constructor(model: Model, db: Database, call: Call) {
    this.#model = model;
    this.#db = db;
    this.#call = call;
  }

  async submit({ spec, parents, missing, byDelay, keyed }: StepOf<'submit'>): Promise<void> {
    const item = this.#item({ spec, parents });
    const ids = item.needs.map(({ parent }) => String(parent));
    const answer = await this.create('/tasks', bodyOf(spec, missing ? [...ids, UNKNOWN] : ids, byDelay), keyed);
    const refused = (missing && this.#model.twins([item])[0] === null) || isContradictory(item) || (missing && spec.reuseSeconds !== null);
    if (refused) check(answer, { status: 422, code: 'validation_failed' });
    else await this.#one(item, answer);
  }

  async batch({ items, keyed }: StepOf<'batch'>): Promise<void> {
    const offered = items.map(({ key, keyPick, ...one }) => {
      const item = this.#item(one);
      const kept = key === 'again' || key === 'other' ? picked(this.#keys.items, keyPick) : undefined;
      const body = bodyOf(item.spec, item.needs.map(({ parent }) => String(parent)));
      if (kept === undefined) return { item, kept, key: key === 'none' ? null : this.#keys.make(), body };
      return key === 'again' ? { item: null, kept, key: kept.key, body: kept.body } : { item, kept, key: kept.key, body: { ...body, name: 'other' } };
    });
    const answer = await this.create('/tasks/batch', { tasks: offered.map(({ body, key }) => (key === null ? body : { ...body, idempotency_key: key })) }, keyed);
    const keys = offered.map(({ key }) => key).filter((key) => key !== null);
    if (offered.some(({ item }) => item !== null && isContradictory(item)) || new Set(keys).size < keys.length) {
      check(answer, { status: 422, code: 'validation_failed' });
    } else if (offered.some(({ item, kept }) => item !== null && kept !== undefined)) check(answer, { status: 422, code: 'idempotency_key_reused' });
    else await this.#storeBatch(offered, answer);
  }

  /** Items that are null stand for the tasks of what was kept. */
  async #storeBatch(offered: readonly { item: Item | null; kept: KeptItem | undefined; key: string | null; body: KeptItem['body'] }[], answer: Answer): Promise<void> {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    const results = answer.body.tasks as { id: string; created: boolean }[];
    for (const [n, { item, kept }] of offered.entries()) if (item === null) expect(results[n]).to.deep.equal({ id: kept?.id, created: false });
    const fresh = offered.flatMap(({ item }, n) => (item === null ? [] : [{ item, result: results[n]! }]));
    const wanted = fresh.map(({ item }) => item);
    const twins = this.#model.twins(wanted);
    expect(fresh.map(({ result }) => result.created)).to.deep.equal(twins.map((twin) => twin === null));
    for (const [n, twin] of twins.entries()) {
      if (twin !== null) expect(fresh[n]?.result.id).to.equal(typeof twin === 'string' ? twin : fresh[twin]?.result.id);
    }
    expect(answer.body.created).to.equal(results.filter(({ created }) => created).length);
    for (const [n, { item, key, body }] of offered.entries()) if (item !== null && key !== null) this.#keys.items.push({ key, body, id: results[n]!.id });
    this.#model.submit(wanted, await this.#given(fresh.map(({ result: { id, created } }) => (created ? id : null))));
  }

  async workflow({ items, keyed }: StepOf<'workflow'>): Promise<void> {
    // Workflows have no reuse and no dedupe_key; tasks depend on earlier ones, by name.
    const wanted = items.map(({ spec, parents }, n): Item => ({
      spec: { ...spec, dedupeKey: null, reuseSeconds: null },
      needs: n === 0 ? [] : [...new Set(parents.map((pick) => pick % n))].map((parent) => ({ parent, name: `t${parent}` })),
    }));
    const answer = await this.create('/workflows', {
      tasks: wanted.map(({ spec, needs }, n) => ({ name: `t${n}`, ...commonBody(spec, false), depends_on: needs.map(({ name }) => name) })),
    }, keyed);
    await this.#storeWorkflow(wanted, answer);
  }

  async ofWorkflow({ verb, pick, keyed }: StepOf<'cancelWorkflow' | 'retryWorkflow'>): Promise<void> {
    const id = picked([...this.#model.workflows.keys()], pick);
    if (id === undefined) return;
    if (verb === 'cancelWorkflow') {
      expect((await this.#call('POST', `/workflows/${id}/cancel`)).status).to.equal(200);
      this.#model.cancelWorkflow(id);
      return;
    }
    const answer = await this.create(`/workflows/${id}/retry`, undefined, keyed);
    const again = this.#model.retryWorkflow(id);
    if (Array.isArray(again)) await this.#storeWorkflow(again, answer);
    else check(answer, again);
  }

  async retry(id: string, keyed: boolean): Promise<void> {
    const answer = await this.create(`/tasks/${id}/retry`, undefined, keyed);
    const again = this.#model.retry(id);
    if (isExpected(again)) check(answer, again);
    else await this.#one(again, answer);
  }

  /** A request under a key that came before: the same one, or `other`. Neither changes anything. */
  async again({ pick, other }: StepOf<'again'>): Promise<void> {
    const kept = picked(this.#keys.requests, pick);
    if (kept === undefined) return;
    const headers = { 'idempotency-key': kept.key };
    if (other) {
      const answer = await this.#call('POST', '/tasks', { problem_id: 'other', name: 'other' }, headers);
      check(answer, { status: 422, code: 'idempotency_key_reused' });
      return;
    }
    const answer = await this.#call('POST', kept.path, kept.body, headers);
    expect([answer.status, answer.body, answer.headers.location]).to.deep.equal([kept.answer.status, kept.answer.body, kept.answer.headers.location]);
    expect(answer.headers['idempotency-replayed']).to.equal('true');
  }

  /** Asks for a creation, under a new key where it is `keyed`. A request that is refused leaves its key free. */
  async create(path: string, body: unknown, keyed: boolean): Promise<Answer> {
    if (!keyed) return this.#call('POST', path, body);
    const key = this.#keys.make();
    const answer = await this.#call('POST', path, body, { 'idempotency-key': key });
    expect(answer.headers).to.not.have.property('idempotency-replayed');
    if (answer.status < 300) this.#keys.requests.push({ key, path, body, answer });
    return answer;
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
