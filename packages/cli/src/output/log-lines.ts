/** Log lines as people see them. */
import type { components } from '@task-executor/shared';
import { safe, safeLines } from '../text/safe.js';
import type { Colour, Colours } from './colours.js';

type LogLine = components['schemas']['LogLine'];

const LEVEL_COLOURS: Record<string, Colour> = { debug: 'gray', warning: 'yellow', error: 'red', critical: 'red' };

/** `09:00:00.320 info    step 1 of 30 {"step":1}`, with a line feed; lines after the first of a message are set in. */
export function renderLogLine(line: LogLine, colours: Colours): string {
  const colour = LEVEL_COLOURS[line.level];
  const head = `${safe(line.timestamp.slice(11, 23))} ${line.level.padEnd(8)} `;
  const [first = '', ...rest] = safeLines(line.message);
  const context = line.context === null ? '' : ` ${colours.dim(safe(JSON.stringify(line.context)))}`;
  const text = [`${first}${rest.length === 0 ? context : ''}`, ...rest.map((one, n) => `${' '.repeat(head.length)}${one}${n === rest.length - 1 ? context : ''}`)].join('\n');
  return `${colours.dim(safe(line.timestamp.slice(11, 23)))} ${colour === undefined ? line.level.padEnd(8) : colours[colour](line.level.padEnd(8))} ${text}\n`;
}
