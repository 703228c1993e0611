/**
 * The model of the protocol (test/model) holds in its small configurations, and its mutants are caught: what `npm run model` says of
 * more. Skipped, with a message, where spin or a C compiler is missing. And ARCHITECTURE.md, which says what looks after which
 * invariant, names what there is.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { INVARIANTS, SETTLED } from '../packages/api/test/support/invariants.js';
import { RULES } from './chaos/checker/check.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** What scripts/model.mjs exits with where a program is missing. */
const MISSING = 3;

describe('the model of the protocol', function () {
  this.timeout(600_000);
  let code: number;
  let said: string;

  before(async function () {
    const ended = await run(process.execPath, ['scripts/model.mjs', '--small', '--mutants'], { cwd: root })
      .then(({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }), (error: unknown) => {
        const { code: failed, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code: failed, said: stdout + stderr };
      });
    ({ code, said } = ended);
    if (code === MISSING) {
      console.log(`      ${said.trim()} Skipped.`);
      this.skip();
    }
  });

  it('holds in every run', () => {
    expect(said).to.match(/^holds {6}/m).and.not.match(/VIOLATED|undecided/);
  });

  it('catches every mutant by the property that is there for it', () => {
    expect(said.match(/^caught /gm)).to.have.length(8);
    expect(said).to.not.include('ESCAPED');
    expect(code, said).to.equal(0);
  });
});

describe('the map of invariants', () => {
  it('names only what there is', async () => {
    const read = (name: string): Promise<string> => readFile(`${root}${name}`, 'utf8');
    const parts = await Promise.all((await readdir(`${root}test/model`)).map((name) => read(`test/model/${name}`)));
    const model = [...parts, await read('scripts/model.mjs')].join('\n').replaceAll("\\'", "'");
    const [, section = ''] = (await read('ARCHITECTURE.md')).split('### What looks after which\n');
    const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| ')).slice(1).map((line) => line.split('|').slice(1, -1));
    expect(rows).to.not.be.empty;
    const known: readonly ((name: string) => boolean)[] = [
      (property) => model.includes(`"${property}"`) || model.includes(`'${property}'`),
      (file) => existsSync(`${root}${file.includes('/') ? '' : 'packages/api/test/'}${file}`),
      (invariant) => invariant in INVARIANTS || invariant in SETTLED,
      (rule) => rule in RULES,
    ];
    for (const [invariant = '', ...cells] of rows) {
      expect(cells, invariant).to.have.length(known.length);
      for (const [n, cell] of cells.entries()) {
        for (const [, name = ''] of cell.matchAll(/`([^`]+)`/g)) expect(known[n]?.(name), `${invariant.trim()}: ${name}`).to.equal(true);
      }
    }
    const mapped = rows.flatMap(([, properties = '']) => [...properties.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    const properties = [...parts.join('\n').matchAll(/^\s*MUST\(.*, "(.*)"\)/gm)].map(([, property]) => property);
    expect(mapped).to.include.members(properties);
  });
});
