/**
 * How many connections are taken at a time. Each is an open file, and a process that may open no more files reaches neither its database
 * nor its artifacts: the limit of the system is not for callers alone.
 */
import { readFileSync } from 'node:fs';

const MOST = 20_000;
const LEAST = 50;
/** Files kept free for the database, artifacts on their way, internal workers, and what Node opens. */
const KEPT_FREE = 300;

/** How many files this process may open, where the system says so in Linux's way; Node takes as many as it may have at its start. */
function openFiles(limits: string): number {
  return Number(/^Max open files\s+([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}

/** How many connections to take at a time. `limits`: what is in /proc/self/limits. */
export function mostConnections(limits = limitsOfThisProcess()): number {
  return Math.max(LEAST, Math.min(MOST, openFiles(limits) - KEPT_FREE));
}

function limitsOfThisProcess(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}
