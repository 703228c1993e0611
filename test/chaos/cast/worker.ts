/** A worker as it is built, on a host of its own: it runs task.sh for every task, and recorder.mjs notes what it says to the API. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GRACE_SECONDS, MIN_FREE_MIB, WORKER_CONCURRENCY } from '../settings.js';
import type { Undo } from '../undo.js';
import { Disk } from './disk.js';
import { Host } from './host.js';
import { Program } from './program.js';

const MAIN = fileURLToPath(new URL('../../../packages/worker/dist/main.js', import.meta.url));
const TASK = fileURLToPath(new URL('task.sh', import.meta.url));

export interface WorkerOptions {
  readonly name: string;
  readonly folder: string;
  readonly apiUrl: string;
  /** A fixed id, or null where the API assigns one. */
  readonly id: string | null;
  readonly smallDisk: boolean;
  /** Where task.sh says what really ran. */
  readonly runsFolder: string;
}

export class Worker {
  readonly program: Program;
  readonly host: Host;
  readonly disk: Disk | null;
  readonly recordFile: string;

  private constructor(program: Program, host: Host, disk: Disk | null, recordFile: string) {
    this.program = program;
    this.host = host;
    this.disk = disk;
    this.recordFile = recordFile;
  }

  static async make({ name, folder, apiUrl, id, smallDisk, runsFolder }: WorkerOptions, undo: Undo): Promise<Worker> {
    const host = await Host.make(join(folder, name));
    const disk = smallDisk ? await Disk.mount(join(host.folder, 'disk'), undo) : null;
    const place = disk?.folder ?? join(host.folder, 'disk');
    const scratch = join(place, 'scratch');
    await mkdir(scratch, { recursive: true });
    const catalog = join(host.folder, 'catalog.json');
    await writeFile(catalog, JSON.stringify({
      scratch: { folder: scratch, min_free_mib: MIN_FREE_MIB },
      problems: [{ match: 'chaos-*', command: [TASK], grace_seconds: GRACE_SECONDS, environment: { CHAOS_RUNS: runsFolder, CHAOS_HOST: name } }],
    }));
    const recordFile = join(host.folder, 'record.jsonl');
    const program = new Program({
      name, args: [MAIN, 'start'], logFile: join(host.folder, 'worker.log'),
      env: host.environment(['recorder.mjs'], {
        CHAOS_RECORD: recordFile, API_URL: apiUrl, WORKER_CONCURRENCY: String(WORKER_CONCURRENCY), CATALOG: catalog,
        SPOOL_DIR: join(place, 'spool'), SPOOL_MAX_MB: '4', ...(id === null ? {} : { WORKER_ID: id }),
      }),
    }, undo);
    return new Worker(program, host, disk, recordFile);
  }
}
