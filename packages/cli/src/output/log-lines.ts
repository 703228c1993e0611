/** Log lines as people see them. */
import type { components } from '@task-executor/shared';
import { safe, safeLines } from '../text/safe.js';
import type { Colour, Colours } from './colours.js';

type LogLine = components['schemas']['LogLine'];

const LEVEL_COLOURS: Record<string, Colour> = { debug: 'gray', warning: 'yellow', error: 'red', critical: 'red' };

/** A line such as `09:00:00.320 info     step 1 of 30 {"step":1}`, with a line feed. All but the first of a message are set in. */
export function renderLogLine(line: LogLine, colours: Colours): string {
  const time = safe(line.timestamp.slice(11, 23));
  const level = line.level.padEnd(8);
  const indent = ' '.repeat(`${time} ${level} `.length);
  const message = safeLines(line.message).join(`\n${indent}`);
  const context = line.context === null ? '' : ` ${colours.dim(safe(JSON.stringify(line.context)))}`;
  const colour = LEVEL_COLOURS[line.level];
  return `${colours.dim(time)} ${colour === undefined ? level : colours[colour](level)} ${message}${context}\n`;
}
