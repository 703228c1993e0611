/** `make clean`: removes what was installed and built. The data folder stays. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './lib/run.mjs';

const packages = (await readdir(join(root, 'packages'))).map((name) => join('packages', name));
const removed = ['node_modules', '.turbo', 'bench/peers/node_modules', ...packages.flatMap((folder) => ['node_modules', 'dist', '.turbo'].map((name) => join(folder, name)))];
for (const path of removed) await rm(join(root, path), { recursive: true, force: true });
