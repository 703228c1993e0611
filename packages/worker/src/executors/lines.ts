/** Cuts a stream of bytes into lines, each bounded: what is longer becomes several. Holds no more than one line's beginning. */
import { StringDecoder } from 'node:string_decoder';

export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #maxChars: number;
  #rest = '';

  /** @param maxChars of a piece, 2 or more; a piece splits no character */
  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** The lines that `chunk` brings to an end, without their ends. */
  *push(chunk: Buffer): Generator<string> {
    const text = this.#rest + this.#decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield* this.#pieces(text.slice(from, end).replace(/\r$/, ''));
      from = end + 1;
    }
    while (text.length - from > this.#maxChars) {
      const end = cutOf(text, from, this.#maxChars);
      yield text.slice(from, end);
      from = end;
    }
    this.#rest = text.slice(from);
  }

  /** What is left at the end of the stream. */
  *end(): Generator<string> {
    const text = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (text !== '') yield* this.#pieces(text);
  }

  *#pieces(line: string): Generator<string> {
    let from = 0;
    do {
      const end = cutOf(line, from, this.#maxChars);
      yield line.slice(from, end);
      from = end;
    } while (from < line.length);
  }
}

/** Where the piece of `text` that begins at `from` ends: never between the halves of a surrogate pair. */
function cutOf(text: string, from: number, maxChars: number): number {
  const end = from + maxChars;
  if (end >= text.length) return text.length;
  return (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
}
