import { ApiError, type components } from '@task-executor/shared';
import { expect } from 'chai';
import { ProgressReporter } from '../src/running/progress.js';

type Progress = components['schemas']['Progress'];

describe('progress', () => {
  /** A server that answers when it is told to. */
  function server() {
    const taken: Progress[] = [];
    const answers: (() => void)[] = [];
    let arrived: () => void = () => undefined;
    return {
      taken, answers,
      send: (progress: Progress) => new Promise<void>((resolve) => {
        taken.push(progress);
        answers.push(resolve);
        arrived();
      }),
      next: () => new Promise<void>((resolve) => (arrived = resolve)),
    };
  }
  const never = new AbortController().signal;
  const refusals: string[] = [];
  const onRefusal = (error: ApiError): void => void refusals.push(error.message);

  it('sends the first word at once, puts later ones together, and the last before it closes', async () => {
    const api = server();
    const reporter = new ProgressReporter(api.send, never, onRefusal);
    reporter.report({ step: 1, total: 1_000 });
    expect(api.taken).to.deep.equal([{ step: 1, total: 1_000 }]);
    for (let step = 2; step <= 1_000; step++) reporter.report({ step, metrics: { loss: 1 / step } });
    expect(api.taken).to.have.length(1);
    const next = api.next();
    const closed = reporter.close();
    api.answers[0]!();
    await next;
    expect(api.taken[1]).to.deep.equal({ step: 1_000, total: 1_000, metrics: { loss: 0.001 } });
    api.answers[1]!();
    await closed;
    reporter.report({ step: 5 });
    expect(api.taken).to.have.length(2);
  });

  it('closes without a call where everything is said, and says nothing of what is not its own any more', async () => {
    const api = server();
    const reporter = new ProgressReporter(api.send, never, onRefusal);
    await reporter.close();
    const gone = new AbortController();
    const other = new ProgressReporter(api.send, gone.signal, onRefusal);
    gone.abort();
    other.report({ step: 1 });
    await other.close();
    expect(api.taken).to.deep.equal([]);
  });

  it('leaves out what the contract would not take', async () => {
    const taken: Progress[] = [];
    const reporter = new ProgressReporter((progress) => Promise.resolve(taken.push(progress)), never, onRefusal);
    reporter.report({ step: -1, total: Infinity, metrics: { '': 1, ok: 2, big: 2 ** 60, nan: NaN, [`x${'y'.repeat(64)}`]: 1, 'a\u0000': 1 } });
    reporter.report({ message: `\u0000${'m'.repeat(5_000)}`, metrics: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${n}`, n])) });
    await reporter.close();
    const { step, total, message, metrics } = taken.at(-1)!;
    expect([step, total]).to.deep.equal([undefined, undefined]);
    expect(message).to.have.length(1_000).and.match(/^\uFFFDm/);
    expect(Object.keys(metrics!)).to.have.length(50).and.include('ok').and.not.include('big');
  });

  it('gives up at a refusal, and tries again where there was none', async () => {
    let calls = 0;
    const refused = new ProgressReporter(() => {
      calls += 1;
      return Promise.reject(new ApiError(409, { code: 'attempt_not_held' }, null));
    }, never, onRefusal);
    refused.report({ step: 1 });
    await refused.close();
    expect(calls).to.equal(1);
    const away = new ProgressReporter(() => {
      calls += 1;
      return Promise.reject(new Error('away'));
    }, never, onRefusal);
    away.report({ step: 1 });
    await away.close();
    expect(calls).to.equal(3);
    const proxied = new ProgressReporter(() => {
      calls += 1;
      return Promise.reject(new ApiError(403, {}, null));
    }, never, onRefusal);
    proxied.report({ step: 1 });
    await proxied.close();
    expect(calls).to.equal(5);
    expect(refusals).to.deep.equal(['409 attempt_not_held: no details']);
  });
});
