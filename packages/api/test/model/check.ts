/** Answers held to what the model expects of them. */
import { expect } from 'chai';
import type { Answer } from '../support/api.js';
import type { Expected } from './model.js';

/** Reasons that are about the fleet and the controls, which the API remembers for a moment. */
const READY = ['ready', 'unclaimable', 'paused', 'limited'];

/** The answer is what the model expects. */
export function check(answer: Answer, expected: Expected): void {
  const body = answer.body as { code?: string } & Record<string, unknown>;
  const seen = `${answer.status} ${body.code ?? ''}`.trim();
  expect(seen, JSON.stringify(body)).to.equal(`${expected.status} ${expected.code ?? ''}`.trim());
  if (expected.task !== undefined) expectView(body, expected.task);
}

function expectView(body: Record<string, unknown>, view: NonNullable<Expected['task']>): void {
  const reason = READY.includes(String(body.reason)) ? 'ready' : body.reason;
  expect({ ...Object.fromEntries(Object.keys(view).map((key) => [key, body[key]])), reason }).to.deep.equal(view);
}
