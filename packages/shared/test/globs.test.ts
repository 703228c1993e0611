import { expect } from 'chai';
import fc from 'fast-check';
import { backoffMs, matchesGlob, supportsProblem } from '../src/index.js';

/** The definition, exponential and plainly right. */
function matchesNaively(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) return matchesNaively(glob.slice(1), text) || (text !== '' && matchesNaively(glob, text.slice(1)));
  return text !== '' && (glob.startsWith('?') || glob[0] === text[0]) && matchesNaively(glob.slice(1), text.slice(1));
}

const letters = (...alphabet: string[]) => fc.array(fc.constantFrom(...alphabet), { maxLength: 8 }).map((parts) => parts.join(''));

describe('globs', () => {
  it('match as their definition says', () => {
    const isAsDefined = (glob: string, text: string): boolean => matchesGlob(glob, text) === matchesNaively(glob, text);
    fc.assert(fc.property(letters('a', 'b', '*', '?'), letters('a', 'b'), isAsDefined), { numRuns: 2000 });
  });

  it('take the rest of a pattern that would explode as a regular expression', () => {
    expect(matchesGlob('*a'.repeat(100), 'a'.repeat(254) + 'b')).to.equal(false);
  });

  it('take every problem where there are none', () => {
    expect(supportsProblem([], 'anything')).to.equal(true);
    expect(supportsProblem(['x-*', 'test-?'], 'test-1')).to.equal(true);
    expect(supportsProblem(['x-*', 'test-?'], 'test-12')).to.equal(false);
  });
});

describe('backoff', () => {
  it('stays between a tenth of its bound and its bound, and the bound doubles up to the limit', () => {
    const initial = fc.integer({ min: 1, max: 1000 });
    const most = fc.integer({ min: 1, max: 100_000 });
    const inARow = fc.integer({ min: 0, max: 2000 });
    const chance = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(fc.property(initial, most, inARow, chance, (initialMs, maxMs, failures, random) => {
      const bound = Math.min(maxMs, initialMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
      const wait = backoffMs({ initialMs, maxMs }, failures, random);
      return wait >= bound * 0.0999 && wait <= bound;
    }));
  });
});
