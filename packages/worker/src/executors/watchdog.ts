/**
 * Ends what a worker has started, should the worker die without a word: a small shell that waits for the end of a pipe
 * whose other end only this process holds, then kills a process group and runs a command. For what does not die with
 * the worker by itself (containment.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';

/** A fixed text, to which the group and the command come as arguments. */
const SCRIPT = 'trap "" TERM INT HUP; cat >/dev/null; kill -KILL "-$1" 2>/dev/null; shift; [ $# -eq 0 ] || exec "$@"';

export interface Watchdog {
  /** Calls it off: what it watches has ended. */
  release(): void;
}

/** Watches over the process group `group`; `command`, if any, is run last. */
export function watchOver(group: number, command: readonly string[] = []): Watchdog {
  const args = ['-c', SCRIPT, 'watchdog', String(group), ...command];
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Where no process can be made, there is no watchdog; the program itself says so better.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  unreference(shell);
  return { release: () => shell.kill('SIGKILL') };
}

function unreference(shell: ChildProcess): void {
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
}
