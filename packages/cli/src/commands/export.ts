/** `export`: tasks as JSON lines, any number of them, that goes on where it was broken off. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiUnreachable, backoffMs, type components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { unbroken } from '../body.js';
import { openFile, openStdout, type Sink } from '../export-sink.js';
import { addFilterOptions, toQueryFilter, type FilterOptions } from '../input/filter-options.js';
import { splitLines } from '../input/lines.js';
import { chosen, wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { counted } from '../text/time.js';

type ExportLine = components['schemas']['ExportLine'];

const INCLUDED = ['attempts', 'logs'] as const;
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** How often in a row the stream may break without a single task in between. */
const MAX_BREAKS = 5;
const BACKOFF = { initialMs: 500, maxMs: 10_000 };

interface Options extends FilterOptions {
  readonly include?: readonly (typeof INCLUDED)[number][];
  readonly limit?: number;
  readonly output?: string;
  readonly cursorFile?: string;
}

export function addExport(program: Command): void {
  const command = addFilterOptions(program.command('export').description('write tasks as JSON lines: by their end, where --status or --ended-since asks for ended ones only, or else by submission'));
  command
    .addOption(new Option('--include <what>', 'what else of each task, with commas: attempts, logs').argParser(chosen(INCLUDED)))
    .option('--limit <number>', 'how many tasks at the most', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('-o, --output <file>', 'write to this file; where it holds an export already, go on after its last task').conflicts('cursorFile'))
    .option('--cursor-file <file>', 'keep in this file how far stdout has got, and go on from there: ... --cursor-file c >> tasks.jsonl')
    .action((options: Options) => perform(command, async (invocation) => {
      const sink = options.output === undefined ? await openStdout(invocation.terminal, options.cursorFile ?? null) : await openFile(options.output);
      let tasks: number;
      try {
        tasks = await exportAll(invocation, options, sink);
      } finally {
        await sink.close();
      }
      invocation.terminal.done();
      invocation.terminal.note(`Exported ${counted(tasks, 'task')}.`);
    }));
}

/** How many tasks were written. @throws Failure where it broke and cannot go on */
async function exportAll(invocation: Invocation, options: Options, sink: Sink): Promise<number> {
  const { client, terminal, interrupted } = invocation;
  const resumable = options.output !== undefined || options.cursorFile !== undefined;
  let cursor = sink.cursor;
  let tasks = 0;
  let breaks = 0;
  invocation.onInterrupt = () => `Exported ${counted(tasks, 'task')}. ${resumable ? 'Run the same command again to go on.' : 'With --output or --cursor-file it could be gone on with.'}`;
  for (;;) {
    const left = options.limit === undefined ? undefined : options.limit - tasks;
    if (left === 0) return tasks;
    const body = await client.exportTasks({
      ...toQueryFilter(options),
      ...(options.include === undefined ? {} : { include: [...options.include] }),
      ...(left === undefined ? {} : { limit: left }),
      ...(cursor === null ? {} : { cursor }),
    });
    invocation.bePatient();
    try {
      for await (const bytes of splitLines(unbroken(body), MAX_LINE_BYTES)) {
        const line = JSON.parse(bytes.toString('utf8')) as ExportLine;
        await sink.write(bytes);
        if (line.type !== 'task' || line.cursor === undefined) continue;
        await sink.taskEnds(line.cursor);
        cursor = line.cursor;
        tasks += 1;
        breaks = 0;
        terminal.bar(`${counted(tasks, 'task')} exported`);
      }
      return tasks;
    } catch (error) {
      if (!(error instanceof ApiUnreachable) || interrupted.aborted || !(await sink.takeBack())) throw error;
      breaks += 1;
      if (breaks > MAX_BREAKS) throw error;
      await sleep(backoffMs(BACKOFF, breaks, Math.random()), undefined, { signal: interrupted });
    }
  }
}

