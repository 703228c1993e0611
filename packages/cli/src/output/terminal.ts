/**
 * Where output goes: stdout gets what was asked for, stderr what is said about it, and bars where it is a terminal. Writing waits for a
 * slow reader; a reader that has gone ends the program without a word, as it ends every other tool.
 */
import { EXIT, Failure } from '../exit.js';
import { safe, safeJson } from '../text/safe.js';
import { createColours, wantsColours, type Colours } from './colours.js';
import type { Layout } from './table.js';

const BAR_EVERY_MS = 100;
const BAR_WIDTH = 24;
const USUAL_COLUMNS = 80;

export class Terminal {
  readonly colours: Colours;
  readonly noteColours: Colours;
  #bar = '';
  #barAt = -Infinity;

  constructor(color: boolean | undefined) {
    this.colours = createColours(wantsColours(color, process.env, process.stdout));
    this.noteColours = createColours(wantsColours(color, process.env, process.stderr));
  }

  /** Whether a person sees stdout. */
  get watched(): boolean {
    return process.stdout.isTTY;
  }

  /** Whether a person sees stderr. */
  get notesWatched(): boolean {
    return process.stderr.isTTY;
  }

  /** The layout of tables: as wide as the terminal, or without a bound. */
  get layout(): Layout {
    // Some terminals say that they have no columns.
    return { colours: this.colours, width: process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : null };
  }

  /** Writes `text` as it is: whoever calls has made it safe. @throws Failure where that is not possible, as on a full disk */
  async write(text: string | Buffer): Promise<void> {
    this.#clearBar();
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(text, (error) => {
        if (error == null) resolve();
        else if (hasGone(error)) process.exit(EXIT.pipeClosed);
        else reject(new Failure(EXIT.file, `The output cannot be written: ${error.message}.`));
      });
    });
  }

  /** Writes a line, made safe. */
  async line(text: string): Promise<void> {
    await this.rendered(safe(text));
  }

  /** Writes what output/ has made of texts: safe already, with colours. */
  async rendered(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** Writes a value as JSON over several lines. */
  async json(value: unknown): Promise<void> {
    await this.rendered(safeJson(JSON.stringify(value, null, 2)));
  }

  /** Writes a value as one line of JSON. */
  async jsonLine(value: unknown): Promise<void> {
    await this.rendered(safeJson(JSON.stringify(value)));
  }

  /** Says something to people, on stderr; made safe. */
  note(text: string): void {
    this.#clearBar();
    process.stderr.write(`${text.split('\n').map(safe).join('\n')}\n`);
  }

  /** Shows how far something is, where somebody watches; `text` is made safe, and stands alone where there is no total. */
  bar(text: string, done?: number, total?: number): void {
    const now = performance.now();
    const complete = total !== undefined && done === total;
    if (!process.stderr.isTTY || (now < this.#barAt + BAR_EVERY_MS && !complete)) return;
    this.#barAt = now;
    const share = total === undefined || total === 0 || done === undefined ? null : Math.min(1, done / total);
    const columns = process.stderr.columns > 0 ? process.stderr.columns : USUAL_COLUMNS;
    this.#bar = `${share === null ? '' : gauge(share)}${safe(text)}`.slice(0, columns - 1);
    process.stderr.write(`\r\u001b[K${this.#bar}`);
  }

  /** Takes the bar away. */
  endBar(): void {
    this.#clearBar();
    this.#barAt = -Infinity;
  }

  #clearBar(): void {
    if (this.#bar === '') return;
    this.#bar = '';
    process.stderr.write('\r\u001b[K');
  }
}

/** Ends the program quietly when the reader of its output has gone. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (hasGone(error)) process.exit(EXIT.pipeClosed);
    // Anything else Terminal.write() throws.
    process.exitCode = EXIT.file;
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
}

/** A share of 1 as `[############............]  50 % `. */
function gauge(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} % `;
}

function hasGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE';
}
