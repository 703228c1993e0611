/**
 * The operating system's bounds on each process of a task: set by prlimit (util-linux) where the host has it, else by a
 * shell's ulimit. They hold for each process by itself, not for all of a task together; that takes a container.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BOUNDS } from './bounds.js';
import { Unfit } from './executor.js';
import { findProgram } from './program.js';

export interface ResourceLimits {
  /** Private memory that may be written (RLIMIT_DATA): heaps and stacks, not what is only reserved. */
  readonly memoryMib?: number;
  readonly cpuSeconds?: number;
  readonly openFiles?: number;
  /** Processes of the user as a whole, as the kernel counts them; root has no such bound. */
  readonly processes?: number;
  /** The size of each file that is written. */
  readonly fileMib?: number;
}

const MIB = 1024 * 1024;

interface Bound {
  readonly limit: keyof ResourceLimits;
  readonly prlimit: (value: number) => string;
  /** The command of dash. */
  readonly ulimit: (value: number) => string;
}

const TABLE: readonly Bound[] = [
  { limit: 'memoryMib', prlimit: (mib) => `--data=${mib * MIB}`, ulimit: (mib) => `ulimit -d ${mib * 1024}` },
  { limit: 'cpuSeconds', prlimit: (seconds) => `--cpu=${seconds}`, ulimit: (seconds) => `ulimit -t ${seconds}` },
  { limit: 'openFiles', prlimit: (count) => `--nofile=${count}`, ulimit: (count) => `ulimit -n ${count}` },
  {
    limit: 'processes',
    prlimit: (count) => `--nproc=${count}`,
    ulimit: (count) => `{ ulimit -u ${count} 2>/dev/null || ulimit -p ${count}; }`,
  },
  { limit: 'fileMib', prlimit: (mib) => `--fsize=${mib * MIB}`, ulimit: (mib) => `ulimit -f ${mib * 2048}` },
];

const probed = new Map<string, Promise<readonly string[]>>();

/** What to put in front of a command so that `limits` hold for it; empty where there are none. @throws Unfit */
export function limitsPrefix(limits: ResourceLimits, searchPath = process.env.PATH ?? ''): Promise<readonly string[]> {
  const key = JSON.stringify([limits, searchPath]);
  let prefix = probed.get(key);
  if (prefix === undefined) {
    prefix = probe(limits, searchPath);
    probed.set(key, prefix);
    // A host that could not may be able to later.
    prefix.catch(() => probed.delete(key));
  }
  return prefix;
}

async function probe(limits: ResourceLimits, searchPath: string): Promise<readonly string[]> {
  const asked = TABLE.flatMap((bound) => {
    const value = limits[bound.limit];
    return value === undefined ? [] : [{ prlimit: bound.prlimit(value), ulimit: bound.ulimit(value) }];
  });
  if (asked.length === 0) return [];
  const prlimit = await findProgram('prlimit', searchPath, '/');
  // A fixed text to which the command comes as arguments: nothing of a task is parsed by the shell.
  const prefix = prlimit === null
    ? ['/bin/sh', '-c', `${asked.map(({ ulimit }) => ulimit).join(' && ')} && exec "$@"`, 'task']
    : [prlimit, ...asked.map((bound) => bound.prlimit), '--'];
  const [program = '', ...args] = prefix;
  try {
    await promisify(execFile)(program, [...args, '/bin/sh', '-c', 'exit 0'], { timeout: BOUNDS.probeMs });
  } catch (error) {
    const words = error instanceof Error ? error.message.trim() : String(error);
    throw new Unfit(`the limits of the catalog cannot be set on this host: ${words}`);
  }
  return prefix;
}
