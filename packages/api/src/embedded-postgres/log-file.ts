/**
 * The server's log, `<dataDir>/postgres.log`. The server writes into the file itself, so that neither a busy nor a dead API
 * can hold it up as a full pipe would; what has grown too long moves to `postgres.log.1`, so the two stay bounded.
 */
import { copyFile, open, readFile, stat, truncate, type FileHandle } from 'node:fs/promises';

const MAX_BYTES = 10_000_000;
const CHECK_INTERVAL_MS = 60_000;

/** The file opened for the server. Appending, so that its next line after a truncation goes to the new end. */
export async function openLogFile(path: string): Promise<FileHandle> {
  await bound(path);
  return open(path, 'a', 0o600);
}

/** Keeps the file bounded until the returned function is called. Never keeps the process alive. */
export function keepBounded(path: string): () => void {
  const timer = setInterval(() => void bound(path), CHECK_INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
  };
}

/** The last line that tells why the server ended, for an error message; empty where there is none. */
export async function lastComplaint(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-40);
  return lines.reverse().find((line) => /\b(FATAL|PANIC|ERROR)\b|could not/.test(line)) ?? lines[0] ?? '';
}

async function bound(path: string): Promise<void> {
  try {
    if ((await stat(path)).size <= MAX_BYTES) return;
    await copyFile(path, `${path}.1`);
    await truncate(path);
  } catch {
    // No file yet, or a full disk: the next check comes.
  }
}
