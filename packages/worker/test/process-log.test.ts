/** The log of a process that cannot be written. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

describe('the log of a process', function () {
  this.timeout(30_000);

  it('ends nothing where its disk is full, and says how many lines were lost once there is room', function () {
    if (!existsSync('/dev/full')) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'task-executor-log-'));
    const full = openSync('/dev/full', 'w');
    try {
      const fixture = fileURLToPath(new URL('fixtures/full-log.ts', import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, ['--import=tsx', fixture, join(folder, 'log')], { stdio: ['ignore', full, 'pipe'] });
      expect([status, String(stderr)]).to.deep.equal([0, '']);
      const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines.map(({ msg, event, lines: lost }) => [msg, event, lost])).to.deep.equal([
        ['there is room', undefined, undefined], ['lines of this log could not be written', 'log_lines_lost', 3],
      ]);
    } finally {
      closeSync(full);
      rmSync(folder, { recursive: true });
    }
  });
});
