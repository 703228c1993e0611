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
 * may live on, and the program that waits for one: nothing of a task is ever parsed by the shell. Told to stop once more, it takes what is
 * left with it and says how the command ended.
 */
const INIT = '__left=$1 __sleep=$2 __told=; shift 2; exec 3>&2 2>/dev/null; trap "__told=1" TERM; (exec "$@" 2>&3 3>&-); __code=$?; '
  + 'if [ -n "$__told" ]; then trap "exit $__code" TERM; '
  + 'while [ "$__left" -gt 0 ] && kill -0 -1 && "$__sleep" 0.1; do __left=$((__left - 1)); done; fi; exit "$__code"';
const PROBE_TIMEOUT_MS = 5_000;

/** What to put in front of a command to contain it; null where this host cannot. */
type Probed = { readonly prefix: readonly string[]; readonly sleep: string } | null;
let probed: Promise<Probed> | undefined;

/**
 * What to put in front of a command to contain it; empty where this host cannot, which is probed once. `graceMs`: how long others may
 * live on where the command ends at a TERM to its group; by itself it takes them with it at once.
 */
export async function containment(graceMs = 0): Promise<readonly string[]> {
  probed ??= probe();
  const found = await probed;
  return found === null ? [] : [...found.prefix, String(Math.ceil(graceMs / 100)), found.sleep];
}

async function probe(): Promise<Probed> {
  if (process.platform !== 'linux') return null;
  const searchPath = process.env.PATH ?? '';
  const setpriv = await findProgram('setpriv', searchPath, '/');
  const unshare = await findProgram('unshare', searchPath, '/');
  const sleep = await findProgram('sleep', searchPath, '/');
  if (setpriv === null || unshare === null || sleep === null) return null;
  // Without a user namespace first: in one, root would be root over nothing but its own files.
  for (const namespaces of [[], ['--user', '--map-current-user']]) {
    const prefix = [
      setpriv, '--pdeathsig', 'KILL', unshare, ...namespaces, '--fork', '--pid', '--kill-child', '/bin/sh', '-c', INIT, 'task',
    ];
    const [program = '', ...args] = prefix;
    try {
      await promisify(execFile)(program, [...args, '0', sleep, '/bin/sh', '-c', 'exit 0'], { timeout: PROBE_TIMEOUT_MS });
      return { prefix, sleep };
    } catch {
      // Not allowed here.
    }
  }
  return null;
}
