/**
 * One run of one command: the options that all commands share, the client they call, and how the run ends. The first Ctrl-C lets
 * the command end in good order, the second ends it at once.
 */
import { TaskClient } from '@task-executor/shared';
import type { Command } from 'commander';
import { resolveAddress, type ApiAddress } from './contexts.js';
import { EXIT, type ExitCode } from './exit.js';
import { explain, said } from './failures.js';
import { resolveHeaders } from './input/api-headers.js';
import { Terminal } from './output/terminal.js';

export interface GlobalOptions {
  readonly apiUrl?: string;
  readonly context?: string;
  readonly header?: readonly string[];
  readonly json?: boolean;
  readonly color?: boolean;
  /** In seconds. */
  readonly retryFor?: number;
}

/** How long to go on calling an API that is away, in seconds, unless --retry-for says otherwise. */
const RETRY_SECONDS = 5;
/** As RETRY_SECONDS, once the API has answered a command that takes its time: a restart of the API does not end such a command. */
const LONG_RETRY_SECONDS = 600;
const SAY_EVERY_MS = 30_000;
const BACKOFF = { initialMs: 300, maxMs: 5_000 };

export interface Invocation {
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly client: TaskClient;
  readonly address: ApiAddress;
  /** Aborts with the first signal; so do the client's calls. */
  readonly interrupted: AbortSignal;
  /** What is said when the command is interrupted: how to go on. */
  onInterrupt: () => string;
  /** Lets the command wait for an API that goes away. Called after the first answer: one that was never there is said at once. */
  bePatient: () => void;
}

/** The invocation of a command that calls no API. */
export type LocalInvocation = Pick<Invocation, 'json' | 'terminal' | 'interrupted'>;

/** Runs `work` for `command` and sets the exit code: EXIT.ok, unless `work` gives another or throws. */
export function perform(command: Command, work: (invocation: Invocation) => Promise<ExitCode> | Promise<void>): Promise<void> {
  const options: GlobalOptions = command.optsWithGlobals();
  return performLocally(command, async (local, report) => {
    const address = await resolveAddress(options, process.env);
    report.address = address;
    const patience = {
      forMs: (options.retryFor ?? RETRY_SECONDS) * 1000,
      backoff: BACKOFF,
      signal: local.interrupted,
      onFailure: sayAway(local.terminal, address),
    };
    const client = new TaskClient(address.url, patience, resolveHeaders(options, process.env));
    const invocation: Invocation = {
      ...local, client, address, onInterrupt: () => '',
      bePatient: () => {
        patience.forMs = (options.retryFor ?? LONG_RETRY_SECONDS) * 1000;
      },
    };
    report.onInterrupt = () => invocation.onInterrupt();
    try {
      return (await work(invocation)) ?? EXIT.ok;
    } finally {
      await client.close();
    }
  });
}

/** What is known by now for the words about a failure. */
interface Report {
  address: ApiAddress | null;
  onInterrupt: () => string;
}

/** As perform(), for commands that call no API. */
export async function performLocally(
  command: Command, work: (invocation: LocalInvocation, report: Report) => Promise<ExitCode> | Promise<void>,
): Promise<void> {
  const options: GlobalOptions = command.optsWithGlobals();
  const terminal = new Terminal(options.color);
  const interruption = new AbortController();
  const restore = listen(interruption);
  const report: Report = { address: null, onInterrupt: () => '' };
  const json = options.json === true;
  try {
    process.exitCode = (await work({ json, terminal, interrupted: interruption.signal }, report)) ?? EXIT.ok;
  } catch (error) {
    terminal.endBar();
    process.exitCode = interruption.signal.aborted
      ? sayInterrupted(terminal, report.onInterrupt(), interruption.signal.reason as ExitCode)
      : sayFailure(error, terminal, report, json);
  } finally {
    restore();
  }
}

function listen(interruption: AbortController): () => void {
  const onSignal = (exitCode: ExitCode) => (): void => {
    if (interruption.signal.aborted) process.exit(exitCode);
    interruption.abort(exitCode);
    // Whoever reads it waits no longer.
    process.stdin.destroy();
  };
  const onInterrupt = onSignal(EXIT.interrupted);
  const onTerminate = onSignal(EXIT.terminated);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return () => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  };
}

/** Says now and then, where somebody watches, that the API is away and that this is not the end. */
function sayAway(terminal: Terminal, address: ApiAddress): () => void {
  let saidAt = -Infinity;
  return () => {
    if (!terminal.notesWatched || performance.now() < saidAt + SAY_EVERY_MS) return;
    saidAt = performance.now();
    terminal.note(`The API at ${address.url} does not answer; trying again ...`);
  };
}

function sayInterrupted(terminal: Terminal, hint: string, exitCode: ExitCode): ExitCode {
  if (hint !== '') terminal.note(hint);
  return exitCode;
}

function sayFailure(error: unknown, terminal: Terminal, { address, onInterrupt }: Report, json: boolean): ExitCode {
  const explanation = explain(error, address);
  const { exitCode } = explanation;
  // An answer that did not arrive leaves a command where a signal does: it may have been carried out.
  const message = [explanation.message, exitCode === EXIT.unreachable ? onInterrupt() : ''].filter((words) => words !== '').join('\n');
  terminal.note(said(json, error, { exitCode, message }));
  return exitCode;
}
