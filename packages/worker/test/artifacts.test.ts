import { chmod, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, ApiUnreachable } from '@task-executor/shared';
import { expect } from 'chai';
import { findArtifacts, storeArtifacts, type PutArtifact } from '../src/reporting/artifacts.js';
import { unprivileged } from './fixtures/unprivileged.js';

describe('artifacts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'artifacts-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const never = new AbortController().signal;

  async function store(put: PutArtifact, stop = never, hinderedMs?: number): Promise<string[]> {
    const lines: string[] = [];
    await storeArtifacts(folder, put, (level, message) => Promise.resolve(void lines.push(`${level}: ${message}`)), stop, hinderedMs);
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

  it('are those of the folders that can be read, whatever others there are', async () => {
    for (const name of ['a', 'b', 'c']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'file'), '');
    }
    await chmod(join(folder, 'b'), 0o300);
    const found = await unprivileged(['a', 'b', 'c', '.'].map((name) => join(folder, name)), () => findArtifacts(folder));
    expect(found).to.deep.equal({ names: ['a/file', 'c/file'], skipped: ['b: cannot be read (EACCES)'] });
    await chmod(join(folder, 'b'), 0o700);
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

  const away = new ApiError(503, { code: 'storage_unavailable', title: 'away' }, null);

  it('wait for an API that is away as long as it takes', async () => {
    await writeFile(join(folder, 'a'), 'abc');
    const answers = [new ApiUnreachable('away'), new ApiError(503, { code: 'shutting_down' }, null), new ApiError(502, {}, null), new ApiError(429, { code: 'too_many_requests' }, null)];
    const lines = await store(() => {
      const answer = answers.shift();
      return answer === undefined ? Promise.resolve() : Promise.reject(answer);
    }, never, 0);
    expect([answers, lines]).to.deep.equal([[], []]);
  });

  it('have one time together to wait for their storage, and are named in the log after it', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name);
    const tried: string[] = [];
    const lines = await store(({ name }) => {
      tried.push(name);
      return name === 'a' && tried.length === 3 ? Promise.resolve() : Promise.reject(away);
    }, never, 1_500);
    expect(tried.slice(0, 3)).to.deep.equal(['a', 'a', 'a']);
    expect(tried).to.include('b').and.not.include('c');
    expect(lines).to.deep.equal(['b', 'c'].map((name) => `error: the artifact ${name} was not kept: 503 storage_unavailable: away`));
  });

  it('are kept for a while where something before the API refuses them, and are then tried once each', async () => {
    for (const name of ['a', 'b']) await writeFile(join(folder, name), name);
    const tried: string[] = [];
    const lines = await store(({ name }) => {
      tried.push(name);
      return name === 'b' ? Promise.resolve() : Promise.reject(new ApiError(413, {}, null));
    }, never, 400);
    expect(tried.length).to.be.greaterThan(3);
    expect(tried.at(-1)).to.equal('b');
    expect(lines).to.deep.equal(['error: the artifact a was not kept: 413 unknown: no details']);
  });

  it('are given up where they cannot be read', async () => {
    await writeFile(join(folder, 'a'), 'abc');
    const file = await open(join(folder, 'a'));
    const prototype = Object.getPrototypeOf(file) as { createReadStream: unknown };
    await file.close();
    const { createReadStream } = prototype;
    prototype.createReadStream = () => {
      throw new Error('EIO: i/o error, read');
    };
    try {
      const lines = await store(async ({ stream }) => {
        for await (const chunk of stream) expect(chunk).to.equal('never');
      });
      expect(lines).to.deep.equal(['error: the artifact a was not kept: EIO: i/o error, read']);
    } finally {
      prototype.createReadStream = createReadStream;
    }
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
