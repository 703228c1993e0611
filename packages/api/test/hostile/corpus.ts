/** Values that have broken services like this one, to be put wherever a value can be. */

/** Text for a number that no JavaScript number stands for; see `toJson`. */
const literal = (text: string): string => `\u{f8ff}${text}\u{f8ff}`;

const STRINGS: readonly string[] = [
  '', ' ', '\0', 'a\0b', '\ud800', 'x\udfff', '\u{10ffff}', '\ufeff', '\u202e', '\u001b[2J\u001b]0;owned\u0007', '<script>alert(1)</script>',
  'a\r\nSet-Cookie: b=c', '"; drop table tasks; --', '%00', '%', '${7*7}', '../../etc/passwd', '..', '.', '/', '\\', '*'.repeat(64), '?'.repeat(64),
  'a*'.repeat(60), '\u0130'.repeat(300), 'x'.repeat(3_000), '\u{1f600}'.repeat(2_000), 'x'.repeat(70_000), 'null', 'NaN', '-0', '1e400', 'infinity',
  '2026-02-30T00:00:00Z', '2026-02-28T24:00:00Z', '2026-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '294277-01-01T00:00:00Z',
  '2026-12-31T23:59:60.5Z', '2026-12-31T15:59:60-08:00', '2026-06-30T12:00:00+16:00', '2026-06-30T12:00:00-23:59', '2026-06-30T12:00:00+15:59',
  '2026-06-30T12:00:00+02', '2026-06-30T12:00:00+0200', '2026-06-30\u00a012:00:00Z', '2026-06-30\t12:00:00Z', '0001-01-01T00:00:00+15:59', '9998-12-31T23:59:59-15:59',
  '0099-12-31 00:00:00Z', '-infinity', 'now', '2026-01-01', '2026-01-01T00:00:00+99:99', 'worker-000-kind', 'worker-001-kind\n', '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff', '{01a20fc3-9435-7f22-ab7e-a18ef6b7e956}', 'W10=', 'WzFd', 'WyIiXQ==', 'WyJ4IiwieSJd', 'bnVsbA==',
  '* * * * *', '* * * * * *', '@yearly', '0 0 31 2 *', 'Europe/Nowhere', '../etc/localtime', 'label:', 'label:a', 'constructor', 'toString',
];

const NUMBERS: readonly unknown[] = [
  0, -1, 1, 0.5, 1e-320, 1e308, -1e308, 2 ** 31, 2 ** 31 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 63), 1_000_001, 604_801,
  literal('1e400'), literal('-1e400'), literal('9007199254740993'), literal('-0'), literal('0.1000000000000000055511151231257827'), literal('01'),
];

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

const STRUCTURES: readonly unknown[] = [
  null, true, false, [], {}, [[]], [null], { '': 1 }, { '\0': 1 }, { '\ud800': 1 }, { constructor: 1, toString: 2, hasOwnProperty: 3 },
  JSON.parse('{"__proto__": {"admin": true}}') as unknown, nested(60, (inner) => [inner]), nested(60, (inner) => ({ a: inner })),
  nested(1_500, (inner) => [inner]), Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, n])), Array.from({ length: 2_000 }, (_, n) => n),
];

export const HOSTILE_VALUES: readonly unknown[] = [...STRINGS, ...NUMBERS, ...STRUCTURES];

export const HOSTILE_STRINGS = STRINGS;

/** The JSON of a value, in which `literal`s are the numbers that they say. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\u{f8ff}([^"]*)\u{f8ff}"/gu, '$1');
}
