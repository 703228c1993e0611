import { expect } from 'chai';
import fc from 'fast-check';
import { LineSplitter } from '../src/executors/lines.js';

function linesIn(chunks: readonly Buffer[], maxChars: number): string[] {
  const splitter = new LineSplitter(maxChars);
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
}

/** `text` as UTF-8, cut at `size` bytes, wherever that falls. */
function chunksOf(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

const texts = fc.string({ unit: fc.constantFrom('a', 'ü', '中', '😀', '\n'), maxLength: 60 });

describe('lines', () => {
  it('are those of the text, wherever its bytes are cut', () => {
    fc.assert(fc.property(texts, fc.integer({ min: 1, max: 9 }), (text, size) => {
      const expected = text.split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(linesIn(chunksOf(text, size), 1_000)).to.deep.equal(expected);
    }));
  });

  it('come in pieces within the bound that lose nothing and split no character', () => {
    fc.assert(fc.property(texts, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 7 }), (text, size, maxChars) => {
      const lines = linesIn(chunksOf(text, size), maxChars);
      expect(lines.join('')).to.equal(text.replaceAll('\n', ''));
      expect(lines.filter((line) => line.length > maxChars || !line.isWellFormed())).to.deep.equal([]);
    }));
  });

  it('end with a line feed or a carriage return and one', () => {
    expect(linesIn([Buffer.from('a\r\n\r\nb\rc\n')], 100)).to.deep.equal(['a', '', 'b\rc']);
  });
});
