/** Commands before and after a task, as a catalog names them. */
import { expect } from 'chai';
import { parseCatalog } from '../src/catalog/catalog-file.js';
import { errorOf, run, type Story, type Watch } from './fixtures/executions.js';

/** Runs a task whose phases are these shell scripts. */
function phases({ prepare, command, cleanup, more = '' }: { prepare?: string; command: string; cleanup?: string; more?: string }, watch?: Watch): Promise<Story> {
  const entry = { match: 'x', command: sh(command), ...(prepare && { prepare: sh(prepare) }), ...(cleanup && { cleanup: sh(cleanup) }), grace_seconds: 0.2 };
  const text = JSON.stringify({ problems: [{ ...entry, ...(more === '' ? {} : JSON.parse(more)) }] });
  return run(parseCatalog(text, '/tmp/catalog.json').entries[0]!, {}, watch);
}
const sh = (script: string): string[] => ['sh', '-c', script];
const said = ({ lines }: Story): string[] => lines.map(({ message, context: { phase = 'task' } = {} }) => `${phase as string}: ${message}`);

describe('prepare and cleanup', () => {
  it('run before and after, in the same folder, and say which they are', async () => {
    const story = await phases({ prepare: 'echo made > file; echo a', command: 'cat file; echo b', cleanup: 'cat file; echo c' });
    expect(said(story)).to.deep.equal(['prepare: a', 'task: made', 'task: b', 'cleanup: made', 'cleanup: c']);
    expect(story.execution.kind).to.equal('completed');
  });

  it('cleans up after a failure, and the failure stands', async () => {
    const story = await phases({ command: 'echo b; exit 3', cleanup: 'echo c' });
    expect(said(story)).to.deep.equal(['task: b', 'cleanup: c']);
    expect(errorOf(story.execution)).to.match(/code 3/);
  });

  it('does not run a task that could not be prepared, and cleans up', async () => {
    const story = await phases({ prepare: 'echo broken >&2; exit 1', command: 'echo b', cleanup: 'echo c' });
    expect(said(story)).to.deep.equal(['prepare: broken', 'cleanup: c']);
    expect(story.execution).to.deep.equal({ kind: 'failed', error: 'prepare: the command exited with code 1: broken' });
  });

  it('cleans up after a stop, whatever ran, and is not stopped itself', async () => {
    const stopAt = (word: string): Watch => ({ message }, stop) => {
      if (message === word) stop();
    };
    const inTask = await phases({ prepare: 'echo a', command: 'echo b; sleep 1000', cleanup: 'echo c' }, stopAt('b'));
    expect(said(inTask)).to.deep.equal(['prepare: a', 'task: b', 'cleanup: c']);
    const inPrepare = await phases({ prepare: 'echo a; sleep 1000', command: 'echo b', cleanup: 'echo c' }, stopAt('a'));
    expect(said(inPrepare)).to.deep.equal(['prepare: a', 'cleanup: c']);
    expect(inPrepare.execution.kind).to.equal('failed');
  });

  it('tells a host that is not fit from a task that failed, by the exit code 69', async () => {
    expect((await phases({ prepare: 'echo no cluster >&2; exit 69', command: 'echo b' })).execution)
      .to.deep.equal({ kind: 'unfit', reason: 'prepare: the command exited with code 69: no cluster' });
    expect((await phases({ command: 'exit 0', cleanup: 'exit 69' })).execution)
      .to.deep.equal({ kind: 'completed', result: { success: true }, unfit: 'cleanup: the command exited with code 69' });
    expect((await phases({ command: 'exit 69' })).execution.kind).to.equal('failed');
  });

  it('takes 65 of a prepare for a task that need not be tried again', async () => {
    expect((await phases({ prepare: 'exit 65', command: 'echo b' })).execution).to.deep.include({ kind: 'failed', retryable: false });
  });

  it('lets a cleanup fail without another word than in the log', async () => {
    const story = await phases({ command: 'exit 0', cleanup: 'exit 5' });
    expect(story.execution).to.deep.equal({ kind: 'completed', result: { success: true } });
    expect(story.lines.at(-1)).to.deep.include({ level: 'error', message: 'cleanup: the command exited with code 5' });
  });

  it('bounds a cleanup', async () => {
    const story = await phases({ command: 'exit 0', cleanup: 'sleep 1000', more: '{"cleanup_seconds": 0.2}' });
    expect(story.execution.kind).to.equal('completed');
    expect(story.lines.at(-1)?.message).to.match(/^cleanup: .*SIGTERM/);
  });
});
