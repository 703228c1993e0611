/** What of a text is mended and cut before the API gets it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { storableText } from '../src/calls/storable.js';

describe('storable text', () => {
  const broken = fc.string({ unit: fc.constantFrom('a', '\u0000', '\uD83D', '\uDE00', '\n', 'ü'), maxLength: 40 });

  it('mends what cannot be stored, and leaves the rest as it is', () => {
    fc.assert(fc.property(broken, (text) => {
      const mended = storableText(text, 40);
      const isSound = text.isWellFormed() && !text.includes('\u0000');
      return mended.isWellFormed() && !mended.includes('\u0000') && mended.length === text.length && (mended === text || !isSound);
    }));
  });

  it('cuts what is too long, and splits no character', () => {
    fc.assert(fc.property(broken, fc.nat({ max: 40 }), (text, max) => {
      const cut = storableText(text, max);
      return cut.isWellFormed() && cut.length === Math.min(text.length, max);
    }));
    const marked = storableText('😀'.repeat(50), 70, ' [truncated]');
    expect(marked.length).to.be.at.most(70);
    expect(marked).to.match(/\[truncated\]$/);
    expect(marked.isWellFormed()).to.equal(true);
  });
});
