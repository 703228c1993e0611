/** Processes of the system under test, as they are built: each logs to a file in a folder of its own, which says when it is ready. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../scripts/lib/run.mjs';

const START_MS = 120_000;
const STOP_MS = 15_000;

/**
 * Starts Node with `args`; `env` is made from the process's folder. Resolves with the process's id, its log lines of the
 * events `wanted`, and what stops it. @throws where it ends before, or takes too long
 */
export async function startLogged(name, args, env, wanted, undo) {
  const folder = await mkdtemp(join(tmpdir(), `task-executor-bench-${name}-`));
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, args, {
    cwd: root, stdio: ['ignore', log, 'ignore'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', LOG_LEVEL: 'info', ...env(folder) },
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const stop = undo.add(async () => {
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    if (!hasEnded()) {
      child.kill('SIGTERM');
      await ended;
    }
    clearTimeout(kill);
    await rm(folder, { recursive: true, force: true });
  });
  const deadline = performance.now() + START_MS;
  for (;;) {
    const said = await readFile(logFile, 'utf8');
    const lines = said.split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
    const found = wanted.map((event) => lines.find((line) => line.event === event));
    if (!found.includes(undefined)) return { pid: child.pid, lines: found, stop, hasEnded };
    if (hasEnded() || performance.now() > deadline) {
      await stop();
      throw new Error(`the ${name} did not start:\n${said.slice(-2000)}`);
    }
    await sleep(20);
  }
}
