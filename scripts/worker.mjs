/**
 * `npm run worker -- OPTIONS`: what a host of workers needs besides Node, in one command. Installs, builds and runs a worker with these
 * options; paths among them start from where the command was given. Ends with the worker's exit code.
 */
import { delimiter, join } from 'node:path';
import { foreground } from './lib/foreground.mjs';
import { main, root } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

await main(async () => {
  await setUp({ packages: ['worker'] });
  const program = join(root, 'packages/worker/dist/main.js');
  return foreground(process.execPath, [program, 'start', ...process.argv.slice(2)], {
    cwd: process.env.INIT_CWD ?? process.cwd(), env: { ...process.env, PATH: withoutNpm(process.env.PATH ?? '') },
  });
});

/** What the programs of a task find on PATH is the host's: npm puts folders of this clone before that. */
function withoutNpm(path) {
  return path.split(delimiter).filter((folder) => !/node_modules[\\/]\.bin$|node-gyp-bin$/.test(folder)).join(delimiter);
}
