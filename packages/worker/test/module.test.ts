/** Modules that run tasks, each in a process of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCatalog } from '../src/catalog/catalog-file.js';
import type { Task } from '../src/executors/executor.js';
import { errorOf, run, type Story, type Watch } from './fixtures/executions.js';

describe('module executor', () => {
  let folder: string;
  beforeEach(async () => {
    // Beside the sources, so that a TypeScript module finds tsx where Node needs it.
    folder = await mkdtemp(join(import.meta.dirname, 'module-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function runModule(name: string, code: string, task: Partial<Task> = {}, watch?: Watch): Promise<Story> {
    await writeFile(join(folder, name), code);
    const catalog = JSON.stringify({ problems: [{ match: '*', module: `./${name}`, grace_seconds: 5 }] });
    return run(parseCatalog(catalog, join(folder, 'catalog.json')).entries[0]!, task, watch);
  }

  it('hands a handler its task and context, and takes what it returns', async () => {
    const { execution, lines, progress, artifacts } = await runModule('m.mjs', `
      import { writeFileSync } from 'node:fs';
      export default async (task, context) => {
        context.log('debug', 'hello', { turn: 1 });
        console.log('plain');
        context.progress({ step: 1, total: 2, metrics: { loss: 0.5 } });
        writeFileSync(context.artifactsDir + '/a.txt', 'kept');
        setInterval(() => {}, 1000);
        return { parameters: task.parameters, parent: context.dependencies.train.model, here: process.cwd() === context.scratchDir, env: process.env.SECRET_OF_THE_WORKER ?? null };
      };`, { dependencies: { train: { model: 'm-1' } } });
    expect(execution).to.deep.equal({ kind: 'completed', result: { parameters: { a: 'ü', n: 1 }, parent: 'm-1', here: true, env: null } });
    expect(lines).to.deep.include({ level: 'debug', message: 'hello', context: { turn: 1 } }).and.deep.include({ level: 'info', message: 'plain' });
    expect(progress.at(-1)).to.deep.equal({ step: 1, total: 2, metrics: { loss: 0.5 } });
    expect(artifacts['a.txt']?.text).to.equal('kept');
  });

  it('runs TypeScript and CommonJS', async () => {
    const typed = await runModule('m.ts', `
      import type { Handler } from '@task-executor/worker';
      export default ((task, context) => ({ problem: task.problem_id as string, none: Object.keys(context.dependencies).length })) satisfies Handler;`);
    expect(typed.execution).to.deep.equal({ kind: 'completed', result: { problem: 'bench-x', none: 0 } });
    const common = await runModule('m.cjs', 'module.exports = () => undefined;');
    expect(common.execution).to.deep.equal({ kind: 'completed', result: { success: true } });
  });

  const thrown: [string, string, Record<string, unknown>][] = [
    ['its message', "throw new Error('no luck')", { kind: 'failed', error: 'no luck' }],
    ['that it need not be tried again', "throw Object.assign(new Error('no such model'), { retryable: false })", { kind: 'failed', error: 'no such model', retryable: false }],
    ['when to try again', "throw Object.assign(new Error('slow down'), { retryAfterSeconds: 30 })", { kind: 'failed', error: 'slow down', retryAfterSeconds: 30 }],
    ['no object', 'return [1]', { kind: 'failed', error: 'the result is not a JSON object' }],
  ];
  for (const [what, code, execution] of thrown) {
    it(`fails with what its handler says: ${what}`, async () => {
      expect((await runModule('m.mjs', `export default async () => { ${code} }`)).execution).to.deep.equal(execution);
    });
  }

  const ends: [string, string, RegExp][] = [
    ['waits for nothing', 'await new Promise(() => {})', /^the handler waits, and nothing is left/],
    ['ends its process as if all was well', 'process.exit(0)', /^the handler ended its process with code 0$/],
    ['ends its process', 'process.exit(7)', /^the handler ended its process with code 7$/],
    ['throws where nobody waits for it', "setTimeout(() => { throw new Error('in a timer'); }); await new Promise((resolve) => setTimeout(resolve, 60_000))", /^in a timer$/],
    ['leaves a rejection to nobody', "Promise.reject(new Error('on its own')); await new Promise((resolve) => setTimeout(resolve, 60_000))", /^on its own$/],
  ];
  for (const [what, code, error] of ends) {
    it(`fails, and says why, where its handler ${what}`, async () => {
      expect(errorOf((await runModule('m.mjs', `export default async () => { ${code} }`)).execution)).to.match(error);
    });
  }

  it('tells a handler to stop by its signal', async () => {
    const { execution, lines } = await runModule('m.mjs', `
      export default (task, { signal, log }) => new Promise((resolve) => {
        const timer = setInterval(() => {}, 1000);
        signal.addEventListener('abort', () => { log('info', 'tidied up'); clearInterval(timer); resolve({}); });
        log('info', 'on');
      });`, {}, ({ message }, stop) => {
      if (message === 'on') stop();
    });
    expect(lines.at(-1)?.message).to.equal('tidied up');
    expect(execution.kind).to.equal('completed');
  });

  for (const [what, code] of [['a syntax error', 'syntax error'], ['a missing package', "import 'no-such-package-here'"], ['no handler', 'export const other = 1']] as const) {
    it(`is not fit where the module has ${what}`, async () => {
      const { execution } = await runModule('m.mjs', code);
      expect(execution.kind).to.equal('unfit');
      expect(errorOf(execution)).to.match(/the module cannot be loaded/);
    });
  }

  it('is not fit where the module is not there', async () => {
    const gone = parseCatalog('{"problems": [{"match": "*", "module": "./gone.mjs"}]}', join(tmpdir(), 'catalog.json')).entries[0]!;
    expect((await run(gone)).execution.kind).to.equal('unfit');
  });
});
