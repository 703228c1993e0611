/** The programs of the product as whole processes: started, listened to by their log, and ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Processes {
  readonly #children: ChildProcess[] = [];

  /** Starts `main.js` of a built or deployed package in `folder`, with nothing in its environment but what is given. */
  start(folder: string, args: readonly string[], environment: Record<string, string>, errors: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
    const child = spawn(process.execPath, ['dist/main.js', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', errors],
      env: { PATH: process.env['PATH'], ...environment },
    });
    this.#children.push(child);
    return child;
  }

  /** Without waiting: for a process that exits itself. */
  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** Ends what still runs. */
  async killAll(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

/** Asks it to end; resolves with its exit code. */
export async function terminate(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** The field of the first log line with this event; the lines after it are read on, so that the pipe does not fill. */
export async function logged(child: ChildProcess, event: string, field: string): Promise<string> {
  if (child.stdout === null) throw new Error('the output is not piped');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const entry = (line.startsWith('{') ? JSON.parse(line) : {}) as Record<string, unknown>;
      if (entry['event'] === event) resolve(String(entry[field]));
    });
    lines.once('close', () => {
      reject(new Error(`it ended without saying "${event}"`));
    });
  });
}
