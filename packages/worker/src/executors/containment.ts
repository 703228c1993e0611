/**
 * Ties a command to this process on Linux: `kill -9` of the worker ends it and all its descendants, also those that left
 * its process group, because they live in a PID namespace whose first process dies with us. Where the host does not allow
 * that (a container without user namespaces, another system), a command has its process group alone.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from './program.js';

/**
 * The first process of the namespace. The kernel keeps TERM from a first process without a handler, so the command is the
 * second, in a subshell: dash would say "Killed" on the command's own stderr, where descriptor 3 goes. A fixed text, to which
 * the command comes as arguments, after the tenths of a second for which, once the group was told to stop, what the command has left
 * may live on: nothing of a task is ever parsed by the shell.
 */
const INIT = '__left=$1 __told=; shift; exec 3>&2 2>/dev/null; trap "__told=1" TERM; (exec "$@" 2>&3 3>&-); __code=$?; '
  + 'while [ -n "$__told" ] && [ "$__left" -gt 0 ] && kill -0 -1 && sleep 0.1; do __left=$((__left - 1)); done; exit "$__code"';
const PROBE_TIMEOUT_MS = 5_000;

let probed: Promise<readonly string[]> | undefined;

/**
 * What to put in front of a command to contain it; empty where this host cannot, which is probed once. `graceMs`: how long others may
 * live on where the command ends at a TERM to its group; by itself it takes them with it at once.
 */
export async function containment(graceMs = 0): Promise<readonly string[]> {
  probed ??= probe();
  const prefix = await probed;
  return prefix.length === 0 ? [] : [...prefix, String(Math.ceil(graceMs / 100))];
}

async function probe(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const searchPath = process.env.PATH ?? '';
  const setpriv = await findProgram('setpriv', searchPath, '/');
  const unshare = await findProgram('unshare', searchPath, '/');
  if (setpriv === null || unshare === null) return [];
  // Without a user namespace first: in one, root would be root over nothing but its own files.
  for (const namespaces of [[], ['--user', '--map-current-user']]) {
    const prefix = [setpriv, '--pdeathsig', 'KILL', unshare, ...namespaces, '--fork', '--pid', '--kill-child', '/bin/sh', '-c', INIT, 'task'];
    const [program = '', ...args] = prefix;
    try {
      await promisify(execFile)(program, [...args, '0', '/bin/sh', '-c', 'exit 0'], { timeout: PROBE_TIMEOUT_MS });
      return prefix;
    } catch {
      // Not allowed here.
    }
  }
  return [];
}
