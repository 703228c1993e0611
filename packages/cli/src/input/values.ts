/** Parsers of options with small values. Every parser throws InvalidArgumentError, which commander shows with the option. */
import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^-?[0-9]+$/.test(text) ? Number(text) : NaN;
    if (!(value >= minimum && value <= maximum)) throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    return value;
  };
}

/** A parser for an option that may be repeated, and may hold several values with commas. */
export function collected(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(',').map((part) => part.trim()).filter((part) => part !== '')];
}

/** A parser as collected(), for words out of a set. */
export function chosen<Word extends string>(words: readonly Word[]): (text: string, before: readonly Word[] | undefined) => Word[] {
  return (text, before) => {
    const given = collected(text, before);
    const wrong = given.find((one) => !(words as readonly string[]).includes(one));
    if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${words.join(', ')}.`);
    return given as Word[];
  };
}

/** A parser for `key=value`, repeated. */
export function labelled(text: string, before: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** The URL of an API, without a slash at its end. */
export function parseApiUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8000.');
  }
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('It must hold no user name and no password.');
  return text.replace(/\/+$/, '');
}
