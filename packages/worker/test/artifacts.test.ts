import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, ApiUnreachable } from '@task-executor/shared';
import { expect } from 'chai';
import { findArtifacts, storeArtifacts, type PutArtifact } from '../src/artifacts.js';

describe('artifacts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'artifacts-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const never = new AbortController().signal;

  async function store(put: PutArtifact, stop = never): Promise<string[]> {
    const lines: string[] = [];
    await storeArtifacts(folder, put, (level, message) => Promise.resolve(void lines.push(`${level}: ${message}`)), stop);
    return lines;
  }

  it('are at most a thousand, in the order of their names, and not too deep', async () => {
    await Promise.all(Array.from({ length: 1_005 }, (_, n) => writeFile(join(folder, `f${String(n).padStart(4, '0')}`), '')));
    const { names, skipped } = await findArtifacts(folder);
    expect(names).to.have.length(1_000);
    expect(names.slice(0, 2)).to.deep.equal(['f0000', 'f0001']);
    expect(skipped).to.have.length(5);
    await rm(folder, { recursive: true });
    await mkdir(join(folder, ...Array<string>(20).fill('d')), { recursive: true });
    expect((await findArtifacts(folder)).skipped).to.deep.equal([`${'d/'.repeat(16).slice(0, -1)}: more than 16 folders deep`]);
  });

  it('have names that the API takes', async () => {
    for (const name of ['good name ü', 'tab\there', 'back\\slash']) await writeFile(join(folder, name), '');
    const { names, skipped } = await findArtifacts(folder);
    expect(names).to.deep.equal(['good name ü']);
    expect(skipped).to.have.length(2);
  });

  it('are sent again whole where no answer came', async () => {
    await writeFile(join(folder, 'a'), 'abc');
    const sent: string[] = [];
    const lines = await store(async ({ stream, bytes }) => {
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      sent.push(`${bytes} ${text}`);
      if (sent.length < 3) throw new ApiUnreachable('away');
    });
    expect(sent).to.deep.equal(['3 abc', '3 abc', '3 abc']);
    expect(lines).to.deep.equal([]);
  });

  it('name in the log what was refused, and go on', async () => {
    await writeFile(join(folder, 'a'), '1');
    await writeFile(join(folder, 'b'), '2');
    const taken: string[] = [];
    const lines = await store(({ name }) => {
      if (name === 'a') return Promise.reject(new ApiError(413, { code: 'body_too_large', title: 'too large' }, null));
      return Promise.resolve(taken.push(name));
    });
    expect(taken).to.deep.equal(['b']);
    expect(lines).to.deep.equal(['error: the artifact a was not kept: 413 body_too_large: too large']);
  });

  it('are given up when the attempt is not ours any more', async () => {
    await writeFile(join(folder, 'a'), '1');
    await writeFile(join(folder, 'b'), '2');
    const stop = new AbortController();
    let calls = 0;
    const lines = await store(() => {
      calls += 1;
      stop.abort();
      return Promise.reject(new ApiUnreachable('away'));
    }, stop.signal);
    expect([calls, lines]).to.deep.equal([1, []]);
  });
});
