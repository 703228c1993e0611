/** What is the host's fault and not the task's: the task goes back, and nobody calls it failed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LIMITS } from '@task-executor/shared';
import { Fitness } from '../src/fitness.js';
import { command, run } from './fixtures/executions.js';

describe('a host that is not fit', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'unfit-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  async function script(text: string, mode = 0o755): Promise<string> {
    await writeFile(join(folder, 'script'), text, { mode });
    return join(folder, 'script');
  }

  for (const contained of [false, true]) {
    it(`cannot start a program: it, its interpreter or its folder is missing, or there is no room (contained: ${contained})`, async () => {
      const reasons: string[] = [];
      for (const executor of [
        command(['no-such-program-here'], { contained }),
        command([await script('#!/no/such/interpreter\n')], { contained }),
        command([await script('#!/usr/bin/env no-such-interpreter\n')], { contained }),
        command(['true'], { contained, cwd: '/no/such/folder' }),
        command(['true', 'x'.repeat(4 * 1024 * 1024)], { contained }),
      ]) {
        const { execution } = await run(executor);
        expect(execution.kind).to.equal('unfit');
        reasons.push(execution.kind === 'unfit' ? execution.reason : '');
      }
      for (const [index, word] of ['no-such-program-here', 'script', 'script', '/no/such/folder', 'E2BIG'].entries()) expect(reasons[index]).to.contain(word);
    });
  }

  it('may not run a program that is not executable', async () => {
    expect((await run(command([await script('#!/bin/sh\n', 0o644)]))).execution.kind).to.equal('unfit');
  });

  it('has no script for an interpreter; code, modules and relative names are none', async () => {
    const missing = join(folder, 'none.sh');
    for (const argv of [['sh', missing], ['/bin/sh', '-u', missing]]) {
      const { execution } = await run(command(argv));
      expect(execution).to.deep.equal({ kind: 'unfit', reason: `the script ${missing} is not there, or cannot be read` });
    }
    for (const argv of [['sh', await script('exit 0\n', 0o644)], ['sh', '-c', `/${missing} || true`], ['true', missing]]) {
      expect((await run(command(argv))).execution.kind).to.equal('completed');
    }
    expect((await run(command(['sh', 'none.sh']))).execution.kind).to.equal('failed');
  });

  it('cannot set the limits that are asked for', async () => {
    const { execution } = await run(command(['true'], { limits: { openFiles: 2 ** 40 } }));
    expect(execution.kind).to.equal('unfit');
  });

  it('has no place for scratch folders', async () => {
    const { execution } = await run({ problems: ['*'], executor: command(['true']), scratch: { root: join(folder, 'none') } });
    expect(execution.kind).to.equal('unfit');
  });

  it('has a disk that is still full when the files of the failed task are gone; a task that did well is not asked', async () => {
    const scratch = { root: folder, minFreeMib: 2 ** 40 };
    expect((await run({ problems: ['*'], executor: command(['false']), scratch })).execution).to.deep.include({ kind: 'unfit' });
    expect((await run({ problems: ['*'], executor: command(['true']), scratch })).execution.kind).to.equal('completed');
  });

  it('says why in words that the API takes, whoever found it out', async () => {
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const fitness = new Fitness(() => Promise.resolve(`\u0000${'x'.repeat(LIMITS.maxReleaseReasonChars - 2)}\u{1F600}`), log);
    try {
      await fitness.known;
      expect(fitness.reason).to.equal(`\uFFFD${'x'.repeat(LIMITS.maxReleaseReasonChars - 2)}\uFFFD`);
      fitness.suspect('a\u0000b\uD800');
      expect(fitness.reason).to.equal('a\uFFFDb\uFFFD');
    } finally {
      fitness.stop();
    }
  });

  it('is told from a task that fails', async () => {
    expect((await run(command([await script('#!/bin/sh\nno-such-program-here\n')]))).execution).to.deep.include({ kind: 'failed' });
  });
});
