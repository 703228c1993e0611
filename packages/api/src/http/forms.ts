/**
 * Strings whose pattern is their whole rule, length included: one sentence says what is expected, whichever part of the rule was
 * missed.
 */

/** The format `uuid` of the contract, without the prefix `urn:uuid:` that validators of the format take, too. */
const UUID = '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$';

const FORMS = new Map([
  [UUID, 'must be a UUID, such as 0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01'],
  ['^worker-[0-9]{3,6}-kind$', 'must be worker-NNN-kind with 3 to 6 digits, such as worker-001-kind'],
]);

const REPLACED = new Set(['format', 'minLength', 'maxLength']);

/** The schema of a string as the validator is to read it: of such a form, by its pattern alone. */
export function byForm(schema: Record<string, unknown>): Record<string, unknown> {
  const pattern = schema.format === 'uuid' ? UUID : schema.pattern;
  if (typeof pattern !== 'string' || !FORMS.has(pattern)) return schema;
  return { ...Object.fromEntries(Object.entries(schema).filter(([key]) => !REPLACED.has(key))), pattern };
}

/** What the validator says of a string that does not fit, in the words for its form where it has one. */
export function inWords(message: string): string {
  const [, pattern = ''] = /^must match pattern "(.*)"$/.exec(message) ?? [];
  return FORMS.get(pattern) ?? message;
}
