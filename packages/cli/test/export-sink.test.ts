/** Exports into a file that does not stay as an export left it. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openFile, type Sink } from '../src/export-sink.js';

const FIRST = '{"type":"task","cursor":"c1"}';
const SECOND = '{"type":"task","cursor":"c2"}';

describe('a file of an export', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-cli-'));
    path = join(folder, 'tasks.jsonl');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const add = async (sink: Sink, line: string, cursor: string): Promise<void> => {
    await sink.write(Buffer.from(line));
    await sink.taskEnds(cursor);
  };
  const failure = (promise: Promise<unknown>): Promise<string> =>
    promise.then(() => expect.fail('it did not fail'), (error: unknown) => (error as Error).message);

  it('holds each task once, also where two exports write it at a time: one of them ends', async () => {
    const [one, other] = [await openFile(path), await openFile(path)];
    for (const sink of [one, other]) {
      await add(sink, FIRST, 'c1');
      await add(sink, SECOND, 'c2');
    }
    await one.close();
    expect(await failure(other.close())).to.contain('Another command writes to').and.contain(path);
    expect(await readFile(path, 'utf8')).to.equal(`${FIRST}\n${SECOND}\n`);
  });

  it('is not cut back where another export has added to it', async () => {
    const sink = await openFile(path);
    await sink.write(Buffer.from('{"type":"log"}'));
    await appendFile(path, `${FIRST}\n`);
    expect(await failure(sink.takeBack())).to.contain('Another command writes to');
    await sink.close();
    expect(await readFile(path, 'utf8')).to.equal(`${FIRST}\n`);
  });

  it('is gone on with after its last whole task', async () => {
    await writeFile(path, `${FIRST}\n{"type":"log"}\n{"type":"ta`);
    const sink = await openFile(path);
    expect(sink.cursor).to.equal('c1');
    await add(sink, SECOND, 'c2');
    await sink.write(Buffer.from('{"type":"log"}'));
    await sink.close();
    expect(await readFile(path, 'utf8')).to.equal(`${FIRST}\n${SECOND}\n`);
  });
});
