/** `artifacts`: the files that a task left. */
import { LIMITS, type components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { defined } from '../defined.js';
import { downloadTo, NoPlace, pathFor, receive } from '../download.js';
import { EXIT, Failure, type ExitCode } from '../exit.js';
import { idArgument } from '../input/ids.js';
import { wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { showList, type ListStyle } from '../output/show.js';
import { allOf } from '../pages.js';
import { bytes } from '../text/amounts.js';
import { ago } from '../text/time.js';

type Artifact = components['schemas']['Artifact'];

const NO_FILES = 'The task has left no file.';
const ARTIFACTS: ListStyle<Artifact> = {
  columns: [
    { title: 'NAME', gives: true }, { title: 'SIZE', align: 'right' }, { title: 'TYPE' }, { title: 'ATTEMPT', align: 'right' },
    { title: 'STORED' }, { title: 'ID' },
  ],
  rowOf: (one, now) => [one.name, bytes(one.bytes), one.content_type ?? '', String(one.attempt), ago(one.created_at, now), one.id],
  none: NO_FILES,
};

interface ListOptions {
  readonly attempt?: number;
}

interface GetOptions extends ListOptions {
  readonly directory: string;
  readonly stdout?: true;
}

export function addArtifacts(program: Command): void {
  const artifacts = program.command('artifacts').description('files that a task left');
  const attempt = (): Option =>
    new Option('--attempt <number>', 'only files of this attempt').argParser(wholeNumber(1, LIMITS.maxAttemptNumber));

  const list = artifacts.command('list').description('list the files of a task').addArgument(idArgument('task')).addOption(attempt());
  list.action((id: string, options: ListOptions) => perform(list, async (invocation) => {
    await showList(invocation, await artifactsOf(invocation, id, options), ARTIFACTS);
  }));

  const get = artifacts.command('get').description('download files of a task; prints their paths');
  get
    .addArgument(idArgument('task'))
    .argument('[names...]', 'names or ids of files; all of them unless given')
    .addOption(attempt())
    .option('-d, --directory <folder>', 'where to', '.')
    .addOption(new Option('--stdout', 'write one file to stdout').conflicts('directory'))
    .action((id: string, names: string[], options: GetOptions) => perform(get, async (invocation) => {
      const wanted = wantedOf(await artifactsOf(invocation, id, options), id, names);
      return options.stdout === true ? writeOne(invocation, wanted) : storeEach(invocation, id, wanted, options.directory);
    }));
}

function artifactsOf({ client }: Invocation, id: string, { attempt }: ListOptions): Promise<Artifact[]> {
  return allOf((after) => client.listArtifacts(id, { ...defined({ attempt }), ...after }), ({ artifacts }) => artifacts);
}

/** The files that `names` name, or all of them; where several attempts have left one of the same name, that of the last attempt. */
function wantedOf(found: readonly Artifact[], id: string, names: readonly string[]): Artifact[] {
  const missing = names.find((name) => !found.some((artifact) => artifact.name === name || artifact.id === name));
  if (missing !== undefined) throw new Failure(EXIT.notFound, `The task has no file "${missing}"; see task-executor artifacts list ${id}`);
  const wanted = new Map<string, Artifact>();
  for (const artifact of found) {
    const { name } = artifact;
    const asked = names.length === 0 || names.includes(name) || names.includes(artifact.id);
    if (asked && (wanted.get(name)?.attempt ?? 0) <= artifact.attempt) wanted.set(name, artifact);
  }
  return [...wanted.values()];
}

async function writeOne(invocation: Invocation, wanted: readonly Artifact[]): Promise<ExitCode> {
  const [only] = wanted;
  if (only === undefined || wanted.length > 1) throw new Failure(EXIT.usage, 'Name one file to be written to stdout.');
  await receive(invocation, only, 0, (chunk) => invocation.terminal.write(chunk));
  return EXIT.ok;
}

/** Stores each below `directory`. What has no place there is left out, and said. */
async function storeEach(invocation: Invocation, id: string, wanted: readonly Artifact[], directory: string): Promise<ExitCode> {
  const { terminal, json } = invocation;
  invocation.onInterrupt = () => 'Run the same command again to go on.';
  const written = new Set<string>();
  let exitCode: ExitCode = EXIT.ok;
  for (const artifact of wanted) {
    const path = pathFor(directory, artifact);
    try {
      await downloadTo(invocation, artifact, path, written);
    } catch (error) {
      if (!(error instanceof NoPlace)) throw error;
      const byItself = `task-executor artifacts get ${id} ${artifact.id} --stdout > FILE`;
      terminal.note(`${artifact.name} was not stored: ${error.message}.\nGet it by itself: ${byItself}`);
      exitCode = EXIT.file;
      continue;
    }
    terminal.endBar();
    if (json) await terminal.jsonLine({ ...artifact, path });
    else await terminal.line(path);
  }
  if (wanted.length === 0) terminal.note(NO_FILES);
  return exitCode;
}
