import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { isAlive, isSameProcess, startMark } from '../src/index.js';

describe('processes', () => {
  it('are told from others of the same number by their start', async () => {
    const mark = await startMark(process.pid);
    expect(await isSameProcess(process.pid, mark)).to.equal(true);
    expect(await isSameProcess(process.pid, null)).to.equal(true);
    for (const other of ['1', 'another-boot/1', `another-boot${(mark ?? '').slice((mark ?? '').indexOf('/'))}`]) {
      expect(await isSameProcess(process.pid, other), other).to.equal(false);
    }
  });

  it('are known by the ticks alone', async function () {
    if (process.platform !== 'linux') this.skip();
    expect(await isSameProcess(process.pid, (await startMark(process.pid))?.split('/')[1] ?? null)).to.equal(true);
  });

  it('that have ended are none', async () => {
    const child = spawn('sleep', ['600']);
    const pid = child.pid!;
    const mark = await startMark(pid);
    expect([await isAlive(pid), await isSameProcess(pid, mark)]).to.deep.equal([true, true]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect([await isAlive(pid), await isSameProcess(pid, mark), await isSameProcess(pid, null)]).to.deep.equal([false, false, false]);
    expect(await startMark(pid)).to.equal(null);
  });
});
