/**
 * The running server, known by the postmaster.pid of its data folder alone, so that one left behind by a killed API is
 * handled like one we have started ourselves.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPostmasterNow, isPostmasterOf, waitForEnd } from './processes.js';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping';
}

/** A fast shutdown writes a checkpoint; on a slow disk that takes a while. */
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/** What postmaster.pid says: lines 1 process, 4 port, 8 status. Null where it is missing or not yet complete. */
export async function readPidFile(cluster: string): Promise<Postmaster | null> {
  return parsePidFile(await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => ''));
}

function parsePidFile(text: string): Postmaster | null {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const status = lines[7] === 'ready' || lines[7] === 'stopping' ? lines[7] : 'starting';
  return { pid, port: Number(lines[3] ?? 0), status };
}

/** The postmaster that runs in `cluster`; null when none does, whatever a stale postmaster.pid says. */
export async function findPostmaster(cluster: string): Promise<Postmaster | null> {
  const found = await readPidFile(cluster);
  return found !== null && (await isPostmasterOf(found.pid, cluster)) ? found : null;
}

/**
 * Ends the server that is process `pid` and waits for it: fast, then immediate (it recovers from its log at the next start), then by
 * force. Its number may be another program's once it has ended, so it is looked at before each signal.
 */
export async function endPostmaster(pid: number, cluster: string, log: (line: string) => void): Promise<void> {
  const steps = [['SIGINT', FAST_SHUTDOWN_MS], ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS], ['SIGKILL', IMMEDIATE_SHUTDOWN_MS]] as const;
  for (const [signal, timeoutMs] of steps) {
    if (!(await isPostmasterOf(pid, cluster))) return;
    if (signal !== 'SIGINT') log(`embedded PostgreSQL (process ${String(pid)}) is slow to stop: sending ${signal}`);
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await waitForEnd(pid, timeoutMs)) return;
  }
}

/** Tells whatever server works in `cluster` to end, and waits for nothing: for a process that ends itself. */
export function endPostmasterNow(cluster: string): void {
  try {
    const found = parsePidFile(readFileSync(join(cluster, 'postmaster.pid'), 'utf8'));
    if (found !== null && isPostmasterNow(found.pid, cluster)) process.kill(found.pid, 'SIGINT');
  } catch {
    // None works there, or it has just ended.
  }
}
