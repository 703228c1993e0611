/**
 * Strings whose pattern is their whole rule, length included: one sentence says what is expected, whichever part of the rule was
 * missed.
 */
import { WORKER_ID } from '@task-executor/shared';

/** The format `uuid` of the contract, without the prefix `urn:uuid:` that validators of the format take, too. */
const UUID = '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$';

/** The patterns that are a whole rule, each with its sentence. */
const WHOLE_RULES = new Map([
  [UUID, 'must be a UUID, such as 0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01'],
  [WORKER_ID.source, 'must be worker-NNN-kind with 3 to 6 digits, such as worker-001-kind'],
]);

/** The pattern of date-times; their format is checked as well. */
const MOMENT = String.raw`^(0[1-9]\d\d|[1-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-\d\d-\d\d[Tt ]\d\d:\d\d:[0-5]\d(\.\d+)?([Zz]|[+-](0\d|1[0-5]):?[0-5]\d)$`;

const SENTENCES = new Map([
  ...WHOLE_RULES,
  [MOMENT, 'must be a date and time such as 2026-01-05T09:00:00Z, in the years 0100 to 9998, without a leap second and with an offset such as +02:00, of less than 16 hours; in an address its + is sent as %2B'],
]);

const REPLACED = new Set(['format', 'minLength', 'maxLength']);

/** The schema of a string as the validator is to read it: by its pattern alone, where that is the whole rule. */
export function byPattern(schema: Record<string, unknown>): Record<string, unknown> {
  const pattern = schema.format === 'uuid' ? UUID : schema.pattern;
  if (typeof pattern !== 'string' || !WHOLE_RULES.has(pattern)) return schema;
  return { ...Object.fromEntries(Object.entries(schema).filter(([key]) => !REPLACED.has(key))), pattern };
}

/** What the validator says of a string that does not fit, in the sentence of its pattern where it has one. */
export function sentenceFor(message: string): string {
  const [, pattern = ''] = /^must match pattern "(.*)"$/.exec(message) ?? [];
  return SENTENCES.get(pattern) ?? message;
}
