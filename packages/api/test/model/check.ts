/** Answers held to what the model expects of them. */
import { expect } from 'chai';
import type { Answer } from '../support/api.js';
import type { Directives, Expected } from './model.js';

/** Reasons that are about the fleet and the controls, which the API remembers for a moment. */
const READY = ['ready', 'unclaimable', 'paused', 'limited'];

/** The answer is what the model expects. */
export function check(answer: Answer, expected: Expected): void {
  const body = answer.body as { code?: string } & Record<string, unknown>;
  const seen = `${answer.status} ${body.code ?? ''}`.trim();
  expect(seen, JSON.stringify(body)).to.equal(`${expected.status} ${expected.code ?? ''}`.trim());
  if (expected.task !== undefined) expectView(body, expected.task);
  if (expected.tasks !== undefined) {
    const tasks = body.tasks as Record<string, unknown>[];
    expect(tasks.map(({ id }) => id)).to.deep.equal(expected.tasks.map(({ id }) => id));
    for (const [n, view] of expected.tasks.entries()) expectView(tasks[n]!, view);
  }
  if (expected.directives !== undefined) expect(inOrder(body.directives as Directives)).to.deep.equal(inOrder(expected.directives));
}

/** Directives in an order of their own: the contract promises none. */
function inOrder({ cancel, lost, unnamed = [], drain }: Directives): Directives {
  const sorted = <T extends object>(list: readonly T[]): T[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { cancel: sorted(cancel), lost: sorted(lost), unnamed: sorted(unnamed), drain };
}

function expectView(body: Record<string, unknown>, view: NonNullable<Expected['task']>): void {
  const reason = READY.includes(String(body.reason)) ? 'ready' : body.reason;
  expect({ ...Object.fromEntries(Object.keys(view).map((key) => [key, body[key]])), reason }).to.deep.equal(view);
}
