/**
 * `make db-up`: the embedded PostgreSQL alone, until Ctrl-C. `make db-reset`: throws its data away; asks first, or takes
 * `--yes` (make db-reset YES=1).
 */
import { createInterface } from 'node:readline/promises';
import { dataDir } from './lib/data-dir.mjs';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from './lib/postgres.mjs';
import { Failure, main } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

const commands = { up, reset };

await main(async () => {
  const command = commands[process.argv[2]];
  if (command === undefined) throw new Failure('Usage: node scripts/database.mjs up | reset [--yes]');
  await command();
});

async function up() {
  await setUp();
  const server = await startEmbeddedPostgres({ dataDir, log: console.error });
  console.log(server.url);
  // A timer keeps this process alive: the server is none of its open handles.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
  });
  clearInterval(alive);
  await server.stop();
}

async function reset() {
  if (process.env.DATABASE_URL) {
    throw new Failure('DATABASE_URL is set, and this only resets the embedded PostgreSQL: unset it, or drop that database yourself.');
  }
  if (!process.argv.includes('--yes')) await confirm();
  await setUp();
  await removeEmbeddedPostgres(dataDir);
  console.log(`Removed the database in ${dataDir}: the next start begins empty.`);
}

async function confirm() {
  if (!process.stdin.isTTY) throw new Failure('This deletes every task, log and result: confirm with YES=1.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`This deletes every task, log and result in ${dataDir}. Type yes to go on: `);
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') throw new Failure('Nothing was deleted.');
}
