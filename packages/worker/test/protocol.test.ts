/** What a program of any language can say, and what the worker makes of it. */
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseEvent } from '../src/executors/event.js';
import { BOUNDS } from '../src/executors/bounds.js';
import { command, node, run } from './fixtures/executions.js';

const say = (...lines: string[]): string => `require('fs').appendFileSync(process.env.TASK_EVENTS_FILE, ${JSON.stringify(lines.join('\n'))});`;

describe('the protocol of programs', () => {
  it('takes log lines with their level and context', async () => {
    const { lines } = await run(node(say(
      '{"type":"log","level":"error","message":"bad","context":{"turn":3}}',
      '{"type":"log","message":"plain"}',
    )));
    expect(lines).to.deep.equal([{ level: 'error', message: 'bad', context: { turn: 3 } }, { level: 'info', message: 'plain' }]);
  });

  it('takes progress and metrics, the newest of each', async () => {
    const { progress } = await run(node(say(
      '{"type":"progress","step":1,"total":3}',
      '{"type":"metric","name":"loss","value":0.5}',
      '{"type":"progress","step":2,"message":"half"}',
      '{"type":"metric","name":"loss","value":0.25}',
      '{"type":"metric","name":"score","value":-1}',
    )));
    expect(progress.at(-1)).to.deep.equal({ step: 2, total: 3, message: 'half', metrics: { loss: 0.25, score: -1 } });
  });

  it('never takes what is printed for an event', async () => {
    const event = '{"type":"progress","step":1}';
    const { lines, progress } = await run(command(['echo', event]));
    expect(lines.map(({ message }) => message)).to.deep.equal([event]);
    expect(progress).to.deep.equal([]);
  });

  it('makes warnings of garbage, and goes on', async () => {
    const garbage = ['hello', '[]', '{"type":"launch"}', '{"type":"log","level":"loud","message":"x"}', '{"type":"progress"}', '{"type":"metric","name":"x","value":"1"}', '{'];
    const { lines } = await run(node(say(...garbage, '', '{"type":"log","message":"still here"}', '{"type":"log","message":"no newline"}')));
    expect(lines.filter(({ level }) => level === 'warning').map(({ message }) => message)).to.deep.equal(garbage.map((line) => `no event: ${line}`));
    expect(lines.filter(({ level }) => level === 'info').map(({ message }) => message)).to.deep.equal(['still here', 'no newline']);
  });

  it('shows some of much garbage, counts it all, and takes a line that is too long for one', async () => {
    const long = "require('fs').appendFileSync(process.env.TASK_EVENTS_FILE, JSON.stringify({ type: 'log', message: 'x'.repeat(200_000) }) + '\\n');";
    const { lines } = await run(node(`${say(...Array<string>(500).fill('garbage'), '')} ${long} ${say('{"type":"log","message":"after"}')}`));
    expect(lines).to.have.length(BOUNDS.maxShownGarbage + 2);
    expect(lines.map(({ message }) => message)).to.include('after').and.include('501 lines in the events file were no events');
  });

  it('survives bytes that are no text', async () => {
    await run(node("require('fs').writeFileSync(process.env.TASK_EVENTS_FILE, require('crypto').randomBytes(300_000))"));
    fc.assert(fc.property(fc.constantFrom('log', 'progress', 'metric', 'failure'), fc.dictionary(fc.constantFrom('level', 'message', 'step', 'name', 'value', 'error'), fc.jsonValue()), (type, rest) => {
      const event = parseEvent(JSON.stringify({ ...rest, type }));
      if (event === null || event === 'blank') return;
      if (event.type === 'log') expect(event.message).to.be.a('string');
      else if (event.type === 'failure') expect(event.error).to.be.a('string');
      else expect(Object.values(event.update)).to.not.be.empty;
    }));
  });

  it('stores contexts that the API would refuse as text', async () => {
    const { lines } = await run(node(say('{"type":"log","message":"m","context":{"a":"\\u0000","n":12345678901234567890}}')));
    expect(lines[0]?.context).to.deep.equal({ not_storable: '{"a":"\\u0000","n":12345678901234567000}' });
  });

  it('takes 65 for "do not try again", and the words of a failure event for its own', async () => {
    expect((await run(command(['sh', '-c', 'exit 65']))).execution).to.deep.equal({ kind: 'failed', error: 'the command exited with code 65', retryable: false });
    expect((await run(command(['sh', '-c', 'exit 64']))).execution).to.deep.equal({ kind: 'failed', error: 'the command exited with code 64' });
    const { execution } = await run(node(`${say('{"type":"failure","error":"rate limited","retry_after_seconds":30}')} process.exit(1)`));
    expect(execution).to.deep.equal({ kind: 'failed', error: 'rate limited', retryAfterSeconds: 30 });
    const never = await run(node(`${say('{"type":"failure","error":"no such model","retryable":false}')} process.exit(1)`));
    expect(never.execution).to.deep.equal({ kind: 'failed', error: 'no such model', retryable: false });
    expect((await run(node(say('{"type":"failure","error":"but it went well"}')))).execution.kind).to.equal('completed');
  });

  it('hands over the task and the results of those it depends on', async () => {
    const { execution } = await run(node(`
      const { readFileSync, writeFileSync } = require('fs');
      const read = (name) => JSON.parse(readFileSync(process.env[name], 'utf8'));
      writeFileSync(process.env.TASK_RESULT_FILE, JSON.stringify({ dependencies: read('TASK_DEPENDENCIES_FILE'), labels: read('TASK_FILE').labels }))`,
    ), { dependencies: { train: { model: 'm-1' }, other: null }, labels: { team: 'a' } });
    expect(execution).to.deep.include({ result: { dependencies: { train: { model: 'm-1' }, other: null }, labels: { team: 'a' } } });
  });

  it('keeps the files of the artifacts folder, also of a failed task, and nothing that leads out of it', async () => {
    const { artifacts, lines, execution } = await run(command(['sh', '-c', `
      cd "$TASK_ARTIFACTS_DIR"; mkdir -p a/b; echo '{}' > a/b/trace.json; echo hi > notes; : > empty.txt
      ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; ln notes hard; exit 1`]));
    expect(execution.kind).to.equal('failed');
    expect(artifacts).to.deep.equal({
      'a/b/trace.json': { text: '{}\n', contentType: 'application/json' }, 'empty.txt': { text: '', contentType: 'text/plain' },
      hard: { text: 'hi\n', contentType: 'application/octet-stream' }, notes: { text: 'hi\n', contentType: 'application/octet-stream' },
    });
    expect(lines.map(({ message }) => message)).to.deep.equal(['folder', 'link', 'pipe'].map((name) => `an artifact was not kept: ${name}: not a plain file`));
  });

  it('follows no link in place of the artifacts folder or of the result', async () => {
    const { artifacts, execution } = await run(command(['sh', '-c', 'rm -r "$TASK_ARTIFACTS_DIR"; ln -s /etc "$TASK_ARTIFACTS_DIR"; ln -s /etc/passwd "$TASK_RESULT_FILE"']));
    expect(artifacts).to.deep.equal({});
    expect(execution).to.deep.equal({ kind: 'failed', error: 'the result is not a file' });
  });

  it('gives each attempt a folder, and removes it, also where the program has locked it', async () => {
    const { lines, execution } = await run(command(['sh', '-c', 'pwd; echo "$TASK_SCRATCH_DIR"; mkdir -p locked/in; echo x > locked/in/file; chmod 500 locked/in; chmod 000 locked; echo "$TMPDIR"']));
    expect(execution.kind).to.equal('completed');
    const [cwd, scratch, temporary] = lines.map(({ message }) => message);
    expect(scratch).to.equal(cwd);
    expect(temporary).to.equal(`${scratch!}/tmp`);
    expect(existsSync(scratch!)).to.equal(false);
  });
});
