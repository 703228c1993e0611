/**
 * Runs a task in a container, by the command line of Docker or Podman, with bounds that hold for all its processes together. The
 * container is named after its attempt, and removed whatever becomes of it: by this worker, or by a watchdog where the
 * worker has died.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { backoffMs } from '@task-executor/shared';
import { BOUNDS } from './bounds.js';
import { environmentOf } from './environment.js';
import { executionOf, Unfit, type Execution, type Failed, type ExecutionContext, type Executor, type Workspace } from './executor.js';
import { ARGV_SCHEMA, fromFolder, objectSchema, TEXT_SCHEMA, type ExecutorKind } from './kind.js';
import { findProgram } from './program.js';
import type { Round } from './round.js';
import { runTaskProgram, type ProgramOptions } from './task-program.js';
import { variablesOf, workspaceAt } from './workspace.js';

export interface ContainerOptions extends ProgramOptions {
  /** The command line to use: docker, podman, or a path of one. */
  readonly runtime: string;
  readonly image: string;
  /** The command in place of the image's own; empty leaves that. */
  readonly command: readonly string[];
  readonly memoryMib: number | null;
  readonly cpus: number | null;
  readonly processes: number;
  readonly network: string;
  readonly readOnly: boolean;
  /** USER[:GROUP]; null is the worker's own, to whom the workspace belongs. */
  readonly user: string | null;
  /** Options of `run` as they are, after all others. */
  readonly arguments: readonly string[];
}

interface Container {
  /** The path of the command line. */
  readonly runtime: string;
  readonly name: string;
  /** Where the command line notes the container once it is made, before it starts. */
  readonly idFile: string;
}

/** Where a container sees the workspace. */
const INSIDE = '/task';
/** What tells the command line of its daemon and its settings. */
const RUNTIME_VARIABLES = [
  'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'CONTAINER_HOST', 'XDG_RUNTIME_DIR',
];
const REMOVE_MS = 60_000;
/** A daemon that starts anew is there again after some seconds. */
const REMOVE_TRIES = 5;
const REMOVE_RETRY = { initialMs: 500, maxMs: 8_000 };

/** An executor that runs a container for each task. */
export function containerExecutor(options: ContainerOptions): Executor {
  return async (context) => {
    const workspace = await context.workspace();
    const name = `task-executor-${context.task.id}-${context.task.attempt}`;
    const runtime = await findProgram(options.runtime, process.env.PATH ?? '', '/');
    if (runtime === null) throw new Unfit(`the command ${options.runtime} could not be started: no such program can be run`);
    const container: Container = { runtime, name, idFile: join(workspace.folder, 'container-id') };
    const execution = await executionOf(async () => {
      const ended = await runTaskProgram(context, workspace, {
        ...options,
        argv: [runtime, ...runArguments(options, container, context, workspace)],
        cwd: workspace.folder,
        env: environmentOf([...RUNTIME_VARIABLES, ...options.inherit]),
        stdin: JSON.stringify(context.task.parameters),
        // The command line of Podman does not work in a process namespace of its own.
        contained: false,
        limits: {},
        afterDeath: removal(container),
      });
      return ended.kind === 'failed' && !context.signal.aborted ? explained(ended, container, options) : ended;
    });
    if (execution.kind === 'unfit') {
      await remove(container, 1);
      return execution;
    }
    // What is broken off is decided by whoever broke it off.
    if (!context.signal.aborted) await context.decide(execution);
    const left = await remove(container, REMOVE_TRIES);
    if (left === null) return execution;
    const unfit = `the container ${name} could not be removed, and may still run: ${left}`;
    await context.log('error', unfit);
    return { ...execution, unfit };
  };
}

/** Why no container can be run, or null. */
export function containerFault({ runtime }: ContainerOptions, round: Round): Promise<string | null> {
  return round.once(['container', runtime], () => runtimeFault(runtime));
}

async function runtimeFault(runtime: string): Promise<string | null> {
  const path = await findProgram(runtime, process.env.PATH ?? '', '/');
  if (path === null) return `the command ${runtime} is not there`;
  try {
    await call([path, 'version'], BOUNDS.probeMs);
    return null;
  } catch (error) {
    return `${runtime} does not work: ${wordsOf(error)}`;
  }
}

function runArguments(options: ContainerOptions, { name, idFile }: Container, { task }: ExecutionContext, workspace: Workspace): string[] {
  const inside = workspaceAt(INSIDE);
  const set = { TMPDIR: inside.temporaryFolder, ...options.environment, ...variablesOf(task, inside) };
  return [
    'run', '--name', name, '--cidfile', idFile, '--label', 'task-executor.attempt', '--interactive', '--workdir', options.cwd ?? INSIDE,
    '--volume', `${workspace.folder}:${INSIDE}`, '--network', options.network, '--pids-limit', String(options.processes),
    '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges',
    ...(options.memoryMib === null ? [] : ['--memory', `${options.memoryMib}m`, '--memory-swap', `${options.memoryMib}m`]),
    ...(options.cpus === null ? [] : ['--cpus', String(options.cpus)]),
    ...(options.readOnly ? ['--read-only', '--tmpfs', '/tmp'] : []),
    ...userArguments(options),
    // What is handed on goes by its name alone, so that nobody who lists processes sees values of the worker's environment.
    ...options.inherit.flatMap((variable) => (process.env[variable] === undefined ? [] : ['--env', variable])),
    ...Object.entries(set).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
    ...options.arguments, options.image, ...options.command,
  ];
}

function userArguments({ user, runtime }: ContainerOptions): string[] {
  if (user !== null) return ['--user', user];
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  // Without root, Podman's users are mapped: this keeps the worker's own.
  return ['--user', `${uid}:${gid}`, ...(basename(runtime) === 'podman' && uid !== 0 ? ['--userns', 'keep-id'] : [])];
}

/** The failure in the words of whoever knows best; it is the host's where the container never ran. */
async function explained(execution: Failed, container: Container, { memoryMib }: ContainerOptions): Promise<Execution> {
  const { runtime, name, idFile } = container;
  const inspection = [runtime, 'inspect', '--format', '{{.State.OOMKilled}} {{.State.StartedAt}}', name];
  const state = await call(inspection, BOUNDS.probeMs).catch(() => null);
  // A moment in the year 1 is none. A container that was made, and that nothing is told of, may have run.
  const neverRan = state === null ? !(await isWritten(idFile)) : / 0001-/.test(state);
  if (neverRan) return { kind: 'unfit', reason: `the container could not be started: ${execution.error}` };
  if (state?.startsWith('true') !== true) return execution;
  return { ...execution, error: `the container ran out of its memory${memoryMib === null ? '' : ` of ${memoryMib} MiB`}` };
}

async function isWritten(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && found.size > 0;
}

function removal({ runtime, name }: Container): string[] {
  return [runtime, 'rm', '--force', '--volumes', name];
}

/** Removes a container in at most `mostTries` tries and REMOVE_MS; why it may still be there, or null. */
async function remove(container: Container, mostTries: number): Promise<string | null> {
  const { runtime, name } = container;
  const until = performance.now() + REMOVE_MS;
  for (let tries = 1; ; tries++) {
    try {
      await call(removal(container), Math.max(1, Math.ceil(until - performance.now())));
      return null;
    } catch (error) {
      // For some versions it is an error that there is none.
      const found = await call([runtime, 'ps', '--all', '--quiet', '--filter', `name=^${name}$`], BOUNDS.probeMs).catch(() => null);
      if (found === '') return null;
      if (tries >= mostTries || performance.now() >= until) return wordsOf(error);
    }
    await sleep(backoffMs(REMOVE_RETRY, tries, Math.random()));
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}

async function call([program = '', ...args]: readonly string[], timeout: number): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout, env: environmentOf(RUNTIME_VARIABLES), killSignal: 'SIGKILL' });
  return stdout.trim();
}

interface GivenContainer {
  image: string; command?: string[]; runtime?: string; memory_mib?: number; cpus?: number; processes?: number; network?: string;
  read_only?: boolean; user?: string; arguments?: string[];
}
export const containerKind: ExecutorKind = {
  schema: objectSchema(['image'], {
    image: { ...TEXT_SCHEMA, pattern: '^[A-Za-z0-9][^\\s\\u0000]*$' },
    command: ARGV_SCHEMA,
    runtime: TEXT_SCHEMA,
    memory_mib: { type: 'integer', minimum: 6, maximum: 16_777_216 },
    cpus: { type: 'number', exclusiveMinimum: 0, maximum: 1024 },
    processes: { type: 'integer', minimum: 1, maximum: 4_194_304 },
    network: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.:=,-]*$' },
    read_only: { type: 'boolean' },
    user: { type: 'string', pattern: '^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$' },
    arguments: { ...ARGV_SCHEMA, minItems: 0 },
  }),
  isLimited: false,
  make: (given: GivenContainer, policy, folder) => {
    const options: ContainerOptions = {
      ...policy,
      runtime: fromFolder(folder, given.runtime ?? 'docker'),
      image: given.image,
      command: given.command ?? [],
      memoryMib: given.memory_mib ?? null,
      cpus: given.cpus ?? null,
      processes: given.processes ?? BOUNDS.containerProcesses,
      network: given.network ?? 'none',
      readOnly: given.read_only ?? true,
      user: given.user ?? null,
      arguments: given.arguments ?? [],
    };
    return { executor: containerExecutor(options), fault: (round) => containerFault(options, round) };
  },
};
