/** `artifacts`: files that a task left. */
import { LIMITS, type components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { downloadTo, NoPlace, pathFor, receive } from '../download.js';
import { EXIT, Failure, type ExitCode } from '../exit.js';
import { wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { renderTable, type Column } from '../output/table.js';
import { ago, bytes } from '../text/time.js';

type Artifact = components['schemas']['Artifact'];

const COLUMNS: readonly Column[] = [
  { title: 'NAME', gives: true }, { title: 'SIZE', align: 'right' }, { title: 'TYPE' }, { title: 'ATTEMPT', align: 'right' }, { title: 'STORED' }, { title: 'ID' },
];

interface GetOptions {
  readonly attempt?: number;
  readonly directory: string;
  readonly stdout?: true;
}

export function addArtifacts(program: Command): void {
  const artifacts = program.command('artifacts').description('files that a task left');
  const attempt = (): Option => new Option('--attempt <number>', 'only files of this attempt').argParser(wholeNumber(1, LIMITS.maxAttemptNumber));

  const list = artifacts.command('list').description('list the files of a task').argument('<id>', 'the id of a task').addOption(attempt());
  list.action((id: string, options: { attempt?: number }) => perform(list, async (invocation) => {
    const { terminal, json } = invocation;
    const found = await artifactsOf(invocation, id, options.attempt);
    const now = Date.now();
    const rows = found.map((one) => [
      { text: one.name }, { text: bytes(one.bytes) }, { text: one.content_type ?? '' }, { text: String(one.attempt) }, { text: ago(one.created_at, now) }, { text: one.id },
    ]);
    if (json) for (const one of found) await terminal.jsonLine(one);
    else if (rows.length > 0) await terminal.rendered(renderTable(COLUMNS, rows, terminal.layout));
    else terminal.note('The task has left no file.');
  }));

  const get = artifacts.command('get').description('download files of a task; prints their paths');
  get
    .argument('<id>', 'the id of a task')
    .argument('[names...]', 'names or ids of files; all of them unless given')
    .addOption(attempt())
    .option('-d, --directory <folder>', 'where to', '.')
    .addOption(new Option('--stdout', 'write one file to stdout').conflicts('directory'))
    .action((id: string, names: string[], options: GetOptions) => perform(get, (invocation) => getArtifacts(invocation, id, names, options)));
}

/** Where several attempts have left a file of the same name, that of the last one. What has no place is left out, and said. */
async function getArtifacts(invocation: Invocation, id: string, names: readonly string[], options: GetOptions): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const wanted = new Map<string, Artifact>();
  const found = await artifactsOf(invocation, id, options.attempt);
  for (const artifact of found) {
    const { name } = artifact;
    const asked = names.length === 0 || names.includes(name) || names.includes(artifact.id);
    if (asked && (wanted.get(name)?.attempt ?? 0) <= artifact.attempt) wanted.set(name, artifact);
  }
  const missing = names.find((name) => !found.some((artifact) => artifact.name === name || artifact.id === name));
  if (missing !== undefined) throw new Failure(EXIT.notFound, `The task has no file "${missing}"; see task-executor artifacts list ${id}`);
  if (options.stdout === true) {
    const [only] = wanted.values();
    if (only === undefined || wanted.size > 1) throw new Failure(EXIT.usage, 'Name one file to be written to stdout.');
    await receive(invocation, only, 0, (chunk) => terminal.write(chunk));
    return EXIT.ok;
  }
  invocation.onInterrupt = () => 'Run the same command again to go on.';
  const written = new Set<string>();
  let exitCode: ExitCode = EXIT.ok;
  for (const artifact of wanted.values()) {
    const path = pathFor(options.directory, artifact);
    try {
      await downloadTo(invocation, artifact, path, written);
    } catch (error) {
      if (!(error instanceof NoPlace)) throw error;
      terminal.note(`${artifact.name} was not stored: ${error.message}.\nGet it by itself: task-executor artifacts get ${id} ${artifact.id} --stdout > FILE`);
      exitCode = EXIT.file;
      continue;
    }
    terminal.done();
    if (json) await terminal.jsonLine({ ...artifact, path });
    else await terminal.line(path);
  }
  if (wanted.size === 0) terminal.note('The task has left no file.');
  return exitCode;
}

async function artifactsOf({ client }: Invocation, id: string, attempt: number | undefined): Promise<Artifact[]> {
  const all: Artifact[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: components['schemas']['ArtifactList'] = await client.listArtifacts(id, { ...(attempt === undefined ? {} : { attempt }), ...(cursor === undefined ? {} : { cursor }) });
    all.push(...page.artifacts);
    cursor = page.next_cursor;
  }
  return all;
}
