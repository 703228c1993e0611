/** `export`: any number of tasks as JSON lines. It goes on where it was broken off. */
import type { components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { readToEnd } from '../body.js';
import { defined } from '../defined.js';
import { openFile, openStdout, type Sink } from '../export-sink.js';
import { addFilterOptions, toQueryFilter, type FilterOptions } from '../input/filter-options.js';
import { splitLines } from '../input/lines.js';
import { chosen, wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { counted } from '../text/amounts.js';

type ExportLine = components['schemas']['ExportLine'];

const INCLUDED = ['attempts', 'logs'] as const;
const MAX_LINE_BYTES = 64 * 1024 * 1024;

interface Options extends FilterOptions {
  readonly include?: readonly (typeof INCLUDED)[number][];
  readonly limit?: number;
  readonly output?: string;
  readonly cursorFile?: string;
}

export function addExport(program: Command): void {
  const command = program.command('export').description(
    'write tasks as JSON lines: by their end, where --status or --ended-since asks for ended ones only, or else by submission',
  );
  addFilterOptions(command)
    .addOption(new Option('--include <what>', 'what else of each task, with commas: attempts, logs').argParser(chosen(INCLUDED)))
    .option('--limit <number>', 'how many tasks at the most', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option(
      '-o, --output <file>', 'write to this file; where it holds an export already, go on after its last task; - is stdout',
    ).conflicts('cursorFile'))
    .option('--cursor-file <file>', 'keep in this file how far stdout has got, and go on from there: ... --cursor-file c >> tasks.jsonl')
    .action((options: Options) => perform(command, async (invocation) => {
      const { output = '-', cursorFile = null } = options;
      const sink = output === '-' ? await openStdout(invocation.terminal, cursorFile) : await openFile(output);
      let tasks: number;
      try {
        tasks = await exportAll(invocation, options, sink);
      } finally {
        await sink.close();
      }
      invocation.terminal.endBar();
      invocation.terminal.note(`Exported ${counted(tasks, 'task')}.`);
    }));
}

/** Writes the tasks to `sink`, and says how many there were. */
async function exportAll(invocation: Invocation, options: Options, sink: Sink): Promise<number> {
  const { client, terminal } = invocation;
  const isResumable = (options.output ?? '-') !== '-' || options.cursorFile !== undefined;
  const goOn = isResumable ? 'Run the same command again to go on.' : 'With --output or --cursor-file it could be gone on with.';
  let cursor = sink.cursor;
  let tasks = 0;
  invocation.onInterrupt = () => `Exported ${counted(tasks, 'task')}. ${goOn}`;
  await readToEnd(invocation, {
    open: async () => {
      const left = options.limit === undefined ? undefined : options.limit - tasks;
      if (left === 0) return null;
      const rest = defined({ include: options.include && [...options.include], limit: left, cursor: cursor ?? undefined });
      return client.exportTasks({ ...toQueryFilter(options), ...rest });
    },
    read: async (body, advanced) => {
      for await (const bytes of splitLines(body, MAX_LINE_BYTES)) {
        const line = JSON.parse(bytes.toString('utf8')) as ExportLine;
        await sink.write(bytes);
        if (line.type !== 'task' || line.cursor === undefined) continue;
        await sink.taskEnds(line.cursor);
        cursor = line.cursor;
        tasks += 1;
        advanced();
        terminal.bar(`${counted(tasks, 'task')} exported`);
      }
    },
    canGoOn: () => sink.takeBack(),
  });
  return tasks;
}
