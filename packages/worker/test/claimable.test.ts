/** What is claimed of a catalog. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { matchesGlob } from '@task-executor/shared';
import { Catalog } from '../src/catalog/catalog.js';
import { claimable, covers } from '../src/catalog/claimable.js';

const of = (problems: string[], wanted: string[] | null) => claimable(Catalog.of([{ problems, executor: () => Promise.reject(new Error('not to be run')) }]), wanted);

describe('claimable problems', () => {
  it('are all of the catalog where nothing else is said', () => {
    expect(of(['a-*', 'b'], null)).to.deep.equal({ globs: ['a-*', 'b'], unmet: [] });
  });

  it('are within what was asked for and within what the catalog can run', () => {
    expect(of(['a-*', 'b-x*', 'b-y*', 'c'], ['a-1', 'b-*', 'c'])).to.deep.equal({ globs: ['a-1', 'b-x*', 'b-y*', 'c'], unmet: [] });
    expect(of(['a-*', 'b'], ['*'])).to.deep.equal({ globs: ['a-*', 'b'], unmet: [] });
  });

  it('are none of what the catalog has no executor for', () => {
    expect(of(['a-*'], ['a-*', 'z-*', 'A-1'])).to.deep.equal({ globs: ['a-*'], unmet: ['z-*', 'A-1'] });
  });

  it('are none of entries that this host does without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'claimable-'));
    const path = join(folder, 'catalog.yaml');
    await writeFile(path, 'problems:\n  - {match: a-*, command: [no-such-program-here], optional: true}\n  - {match: b-*, simulated: true}\n');
    const catalog = Catalog.read(path);
    await catalog.omitUnrunnable();
    expect(claimable(catalog, ['a-*', 'a-1', 'b-*'])).to.deep.equal({ globs: ['b-*'], unmet: [] });
    expect(claimable(catalog, ['*'])).to.deep.equal({ globs: ['b-*'], unmet: [] });
    await rm(folder, { recursive: true });
  });

  it('go by a wider glob only where it takes all that the other takes', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(fc.property(glob, glob, text, (wider, narrower, problem) => !(covers(wider, narrower) && matchesGlob(narrower, problem)) || matchesGlob(wider, problem)));
  });
});
