/**
 * CPU seconds and memory of processes, from /proc; null where there is none. CPU per operation says more than throughput on a
 * machine that does other things too: it does not count the time during which somebody else had the processor.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second on every architecture that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

function stat(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name before it may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  return { parent: Number(fields[1]), own: user + system, reaped: childUser + childSystem };
}

/** CPU seconds of a process, all threads. */
export function cpuOf(pid) {
  try {
    return stat(pid).own / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** CPU seconds of a process, its children and those of them that have ended. */
export function cpuOfFamily(pid) {
  try {
    for (;;) {
      const { own, reaped } = stat(pid);
      let ticks = own + reaped;
      for (const name of readdirSync('/proc')) {
        if (!/^\d+$/.test(name)) continue;
        try {
          const child = stat(name);
          if (child.parent === pid) ticks += child.own + child.reaped;
        } catch {
          // It has ended since the folder was read.
        }
      }
      // A child that ended meanwhile would be counted twice or not at all.
      if (stat(pid).reaped === reaped) return ticks / TICKS_PER_SECOND;
    }
  } catch {
    return null;
  }
}

/** The parent of a process, if that process is one of this host and its command line holds `word`. */
export function parentOf(pid, word) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word) ? stat(pid).parent : null;
  } catch {
    return null;
  }
}

/** Bytes of memory that a process holds. */
export function rssOf(pid) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}

/** How many files and connections a process of this user may have open; Infinity where nobody says. */
export function maxOpenFiles() {
  try {
    // Node takes as many as it may have at its start.
    return Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
