/**
 * Runs programs for the scripts: output goes straight to the terminal, nothing goes through a shell, the repository's own
 * programs come first on PATH, and none of them reports home.
 */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A failure whose message alone is what the user needs: no stack is printed for it. */
export class Failure extends Error {}

/** The environment for the programs we run. */
export function environment(extra = {}) {
  return {
    ...process.env,
    PATH: join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? ''),
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    ...extra,
  };
}

const running = new Set();

/** Passes a signal on to every program that runs. */
export function signalAll(signal) {
  for (const child of running) child.kill(signal);
}

/** Runs a program to its end; resolves with its exit code, 128 + n after signal n. */
export function exitCode(program, args, { cwd = root, env = {}, stdio = ['ignore', 'inherit', 'inherit'], started } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio, env: environment(env) });
    running.add(child);
    started?.(child);
    child.once('error', (error) => {
      running.delete(child);
      reject(new Failure(`${program} could not be run: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15));
    });
  });
}

/** Runs a program that must succeed. @throws Failure naming `what` where it does not. */
export async function run(what, program, args, options) {
  const code = await exitCode(program, args, options);
  if (code !== 0) throw new Failure(`${what} failed (exit code ${code}).`);
}

/** As run(), but what the program says is shown only when it fails. */
export async function runQuietly(what, program, args) {
  console.error(`${what} ...`);
  const said = [];
  const keep = (child) => {
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  };
  const code = await exitCode(program, args, { stdio: ['ignore', 'pipe', 'pipe'], started: keep });
  if (code === 0) return;
  process.stderr.write(Buffer.concat(said));
  throw new Failure(`${what} failed (exit code ${code}).`);
}

/** Runs a script's main function: a Failure is one line, anything else is a bug and keeps its stack. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    const expected = error instanceof Failure || error?.name === 'EmbeddedPostgresError';
    console.error(expected ? error.message : error);
    process.exitCode = 1;
  }
}
