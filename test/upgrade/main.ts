/**
 * `npm run upgrade -- [--from COMMIT ...] [--beside SECONDS]`; see docs/reliability.md. Exit code 0: every level can be upgraded, or
 * refuses to be while it serves; 1: something is at fault; 3: it could not be run.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Postgres } from '../chaos/cast/postgres.js';
import { endWith } from '../chaos/end-with.js';
import { Undo } from '../chaos/undo.js';
import { Processes } from '../support/processes.js';
import { build, earlierLevels } from './levels.js';
import { faults, tell } from './report.js';
import { upgrade, type Upgrade } from './upgrade.js';

await endWith(new Undo(), async (undo, stop) => {
  const { values } = parseArgs({ options: { from: { type: 'string', multiple: true }, beside: { type: 'string', default: '6' } } });
  const all = await earlierLevels();
  const levels = all.filter(({ commit }) => values.from?.some((one) => one.startsWith(commit) || commit.startsWith(one)) ?? true);
  if (levels.length === 0) throw new Error(`there are these commits: ${all.map(({ commit }) => commit).join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-upgrade-'));
  await chmod(folder, 0o711);
  undo.add(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const postgres = await Postgres.start(folder, undo);
  const processes = new Processes();
  const forget = undo.atExit(() => {
    processes.kill();
  });
  undo.add(() => processes.killAll().then(forget));

  const upgrades: Upgrade[] = [];
  for (const level of levels) {
    console.log(`from migrations ${level.name} (${level.commit}): building ...`);
    const worktree = await build(level, folder, undo);
    console.log(`from migrations ${level.name} (${level.commit}): upgrading ...`);
    const databaseUrl = await createDatabase(postgres.url, `upgrade_${level.commit}`);
    upgrades.push(await upgrade({ level, worktree, folder, databaseUrl, besideMs: Number(values.beside) * 1000, processes, stop }));
  }
  for (const line of ['', ...tell(upgrades)]) console.log(line);
  return upgrades.some((one) => faults(one).length > 0) ? 1 : 0;
});

async function createDatabase(server: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
