/** `make api-dev`: the API from its sources, started again whenever one of them, a migration or the contract changes. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dataDir, devPidFile } from './lib/data-dir.mjs';
import { foreground } from './lib/foreground.mjs';
import { main } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

await main(async () => {
  // The API imports these two as packages, that is, as they were built.
  await setUp({ packages: ['shared', 'worker'] });
  const watched = ['packages/api/migrations/*.sql', 'packages/shared/dist/*.js', 'packages/worker/dist/**/*.js', 'openapi.yaml'];
  const args = ['watch', '--clear-screen=false', ...watched.map((path) => `--include=${path}`)];
  await mkdir(dataDir, { recursive: true });
  await writeFile(devPidFile, String(process.pid));
  try {
    return await foreground('tsx', [...args, 'packages/api/src/main.ts', 'serve']);
  } finally {
    await rm(devPidFile, { force: true });
  }
});
