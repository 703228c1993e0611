/** A stream of bytes as lines, each bounded: what is longer is cut into several. Reading waits for whoever uses the lines. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** The lines of `stream`, without their ends, in pieces of at most `maxChars` (2 or more) that split no character. */
export async function* linesOf(stream: Readable, maxChars: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest += decoder.write(chunk);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end).replace(/\r$/, '');
      rest = rest.slice(end + 1);
      yield* piecesOf(line, maxChars);
    }
    while (rest.length > maxChars) {
      const end = cutOf(rest, 0, maxChars);
      yield rest.slice(0, end);
      rest = rest.slice(end);
    }
  }
  rest += decoder.end();
  if (rest !== '') yield* piecesOf(rest, maxChars);
}

function* piecesOf(line: string, maxChars: number): Generator<string> {
  let from = 0;
  do {
    const end = cutOf(line, from, maxChars);
    yield line.slice(from, end);
    from = end;
  } while (from < line.length);
}

/** Where the piece of `text` that begins at `from` ends: never between the halves of a surrogate pair. */
function cutOf(text: string, from: number, maxChars: number): number {
  const end = from + maxChars;
  if (end >= text.length) return text.length;
  return (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
}
