/** Which processes there are, and whose children, as Linux tells it; elsewhere there are none. */
import { readdirSync, readFileSync } from 'node:fs';

function statOf(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

export function childrenOf(parent: number): number[] {
  const names = process.platform === 'linux' ? readdirSync('/proc') : [];
  return names.filter((name) => /^\d+$/.test(name) && statOf(name)[1] === String(parent)).map(Number);
}

export function descendantsOf(parent: number): number[] {
  return childrenOf(parent).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** A zombie is not. */
export function isAlive(pid: number): boolean {
  const [state] = statOf(String(pid));
  return state !== undefined && state !== 'Z';
}
