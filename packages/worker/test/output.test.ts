/** Programs that write more than anybody wants, as real processes: the worker's memory stays bounded, and the log says so. */
import { expect } from 'chai';
import { BOUNDS } from '../src/executors/bounds.js';
import { command, node, residentKib, run, type Line } from './fixtures/executions.js';

const MAX_GROWTH_KIB = 200 * 1024;
const CUT = /^the output is cut here: at most \d+ lines and \d+ MiB of it are kept$/;
const marks = (lines: readonly Line[]): Line[] => lines.filter(({ message }) => CUT.test(message));

describe('output', function () {
  this.timeout(120_000);

  async function growth(body: () => Promise<void>): Promise<number> {
    const before = await residentKib();
    let most = before;
    const timer = setInterval(() => {
      void residentKib().then((now) => (most = Math.max(most, now)));
    }, 20);
    await body().finally(() => {
      clearInterval(timer);
    });
    return most - before;
  }

  it('cuts hundreds of megabytes without a newline, and goes on reading', async () => {
    let bytes = 0;
    let lines: Line[] = [];
    const grown = await growth(async () => {
      const story = await run(command(['sh', '-c', 'head -c 300000000 /dev/zero | tr "\\0" x; echo; echo the end'], { output: { lines: 1_000, mib: 2 } }));
      lines = story.lines;
      expect(story.execution.kind).to.equal('completed');
    });
    for (const { message } of lines) bytes += message.length;
    expect(grown).to.be.lessThan(MAX_GROWTH_KIB);
    expect(bytes).to.be.lessThan(3 * 1024 * 1024);
    expect(marks(lines)).to.have.length(1);
    const told = lines.findIndex(({ message }) => /^\d+ bytes of output were left out; their last lines follow$/.test(message));
    expect(Number.parseInt(lines[told]!.message)).to.be.within(300_000_000 - 2 * 1024 * 1024, 300_000_100);
    expect(lines.at(-1)?.message).to.equal('the end');
  });

  it('keeps so many lines of a program that floods both streams at full speed, and its last words', async () => {
    const code = `
      const many = 'x\\n'.repeat(10_000);
      for (let n = 0; n < 200; n++) { require('fs').writeSync(1, many); require('fs').writeSync(2, many); }
      console.error('why it failed');
      process.exit(3);`;
    let lines: Line[] = [];
    const grown = await growth(async () => {
      const story = await run(node(code, { output: { lines: 5_000, mib: 64 } }));
      lines = story.lines;
      expect(story.execution).to.deep.include({ kind: 'failed', error: 'the command exited with code 3: why it failed' });
    });
    expect(grown).to.be.lessThan(MAX_GROWTH_KIB);
    expect(marks(lines)).to.have.length(1);
    expect(lines.filter(({ message }) => message === 'x')).to.have.length.within(5_000, 5_000 + 2 * BOUNDS.maxTailLines);
    expect(lines.filter(({ message }) => /left out/.test(message))).to.have.length(2);
  });

  it('marks nothing where all of it fits exactly', async () => {
    const { lines } = await run(node("process.stdout.write('x\\n'.repeat(100))", { output: { lines: 100, mib: 1 } }));
    expect(lines).to.have.length(100);
    const { lines: more } = await run(node("process.stdout.write('x\\n'.repeat(101))", { output: { lines: 100, mib: 1 } }));
    expect(marks(more)).to.have.length(1);
    expect(more.slice(100).map(({ message }) => message)).to.deep.equal([marks(more)[0]?.message, '2 bytes of output were left out; their last lines follow', 'x']);
  });

  it('lets a program that computes at full speed be stopped', async () => {
    const { execution } = await run(node("console.log('on'); for (;;);"), {}, (_line, stop) => {
      stop();
    });
    expect(execution.kind).to.equal('failed');
  });
});
