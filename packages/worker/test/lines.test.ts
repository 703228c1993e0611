import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { linesOf } from '../src/executors/lines.js';

async function linesIn(chunks: readonly Buffer[], maxChars: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(chunks), maxChars)) lines.push(line);
  return lines;
}

/** `text` as UTF-8, cut at `size` bytes, wherever that falls. */
function chunksOf(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

const texts = fc.string({ unit: fc.constantFrom('a', 'ü', '中', '😀', '\n'), maxLength: 60 });

describe('lines', () => {
  it('are those of the text, wherever its bytes are cut', async () => {
    await fc.assert(fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const expected = text.split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(await linesIn(chunksOf(text, size), 1_000)).to.deep.equal(expected);
    }));
  });

  it('come in pieces within the bound that lose nothing and split no character', async () => {
    await fc.assert(fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 7 }), async (text, size, maxChars) => {
      const lines = await linesIn(chunksOf(text, size), maxChars);
      expect(lines.join('')).to.equal(text.replaceAll('\n', ''));
      expect(lines.filter((line) => line.length > maxChars || !line.isWellFormed())).to.deep.equal([]);
    }));
  });

  it('end with a line feed or a carriage return and one', async () => {
    expect(await linesIn([Buffer.from('a\r\n\r\nb\rc\n')], 100)).to.deep.equal(['a', '', 'b\rc']);
  });
});
