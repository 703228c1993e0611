/** A host of our own making for one program: a folder, and a clock that can be moved. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

export class Host {
  readonly folder: string;
  readonly #clockFile: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#clockFile = join(folder, 'clock');
  }

  static async make(folder: string): Promise<Host> {
    await mkdir(folder, { recursive: true });
    const host = new Host(folder);
    await host.setClock(0);
    return host;
  }

  /** Moves its clock to `ms` before or after the real one. */
  async setClock(ms: number): Promise<void> {
    await writeFile(this.#clockFile, String(ms));
  }

  /** What a program on this host is started with; `preloads` are files beside this one. */
  environment(preloads: readonly string[], more: Readonly<Record<string, string>>): Record<string, string> {
    const imports = ['host-clock.mjs', ...preloads].map((file) => `--import=${pathToFileURL(join(HERE, file)).href}`);
    return {
      PATH: process.env['PATH'] ?? '', HOME: this.folder, TMPDIR: this.folder, NODE_ENV: 'production', NODE_OPTIONS: imports.join(' '),
      CHAOS_CLOCK: this.#clockFile, ...more,
    };
  }
}
