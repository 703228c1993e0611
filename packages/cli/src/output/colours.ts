/** Colours for people, where they are wanted. */
import type { WriteStream } from 'node:tty';
import pico from 'picocolors';

/** Functions that colour a text, or leave it as it is. */
export type Colours = ReturnType<typeof pico.createColors>;
export type Colour = 'green' | 'red' | 'yellow' | 'magenta' | 'cyan' | 'gray' | 'bold' | 'dim';

type Stream = Pick<WriteStream, 'isTTY'>;

/**
 * An option (`--color`, `--no-color`) wins, then NO_COLOR (https://no-color.org), then FORCE_COLOR; else a terminal that is not dumb
 * gets colours.
 */
export function wantsColours(option: boolean | undefined, environment: NodeJS.ProcessEnv, stream: Stream): boolean {
  if (option !== undefined) return option;
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stream.isTTY && environment['TERM'] !== 'dumb';
}

export function createColours(wanted: boolean): Colours {
  return pico.createColors(wanted);
}
