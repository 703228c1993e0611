/** A stream of bytes as lines, each bounded: what is longer is cut into several. Reading waits for whoever uses the lines. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** The lines of `stream`, without their ends, in pieces of at most `maxChars`. */
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
      yield rest.slice(0, maxChars);
      rest = rest.slice(maxChars);
    }
  }
  rest += decoder.end();
  if (rest !== '') yield* piecesOf(rest, maxChars);
}

function* piecesOf(line: string, maxChars: number): Generator<string> {
  yield line.slice(0, maxChars);
  for (let at = maxChars; at < line.length; at += maxChars) yield line.slice(at, at + maxChars);
}
