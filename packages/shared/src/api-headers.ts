/**
 * Headers that every call of a client carries, for what stands before the API, such as a proxy that wants a token. Their values are
 * secrets: no mistake repeats one.
 */

export type ApiHeaders = Readonly<Record<string, string>>;

export interface ParsedHeaders {
  /** By their names in lower case. */
  readonly headers: ApiHeaders;
  readonly mistakes: readonly string[];
}

/** A token of RFC 9110. */
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
/** What the protocol, or the connection, says by them would not be true any more. */
const RESERVED = new Set([
  'accept', 'accept-encoding', 'connection', 'expect', 'host', 'idempotency-key', 'keep-alive', 'last-event-id', 'range', 'task-attempt', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'worker-session', '__proto__',
]);

/** Reads headers, one a line: `Name: value`. Empty lines are none. */
export function parseApiHeaders(text: string): ParsedHeaders {
  const headers: Record<string, string> = {};
  const mistakes: string[] = [];
  for (const [index, line] of text.split('\n').map((one) => one.trim()).filter((one) => one !== '').entries()) {
    const at = line.indexOf(':');
    const name = line.slice(0, Math.max(at, 0));
    const value = line.slice(at + 1).trim();
    const lower = name.toLowerCase();
    const which = `header ${index + 1}`;
    // What is before the colon of a line that is no header may be a part of the secret.
    if (!NAME.test(name)) mistakes.push(`${which} must be "Name: value", with a name of letters, digits and -`);
    else if (RESERVED.has(lower) || /^(content|if)-/.test(lower)) mistakes.push(`${which} must not be ${name}, which belongs to the calls themselves`);
    else if (Object.hasOwn(headers, lower)) mistakes.push(`${which} is there twice`);
    else if (!VALUE.test(value)) mistakes.push(`${which} must have a value of visible ASCII characters and blanks in one line`);
    else headers[lower] = value;
  }
  return { headers, mistakes };
}
