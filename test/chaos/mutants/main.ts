/**
 * `npm run chaos -- mutants`: plays each scene with the mutant that it is for, which must be caught, and all of them with the healthy
 * API, which must not. Exit code 0: so it was.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Postgres } from '../cast/postgres.js';
import { RULES } from '../checker/check.js';
import type { Violation } from '../checker/evidence.js';
import { endWith } from '../end-with.js';
import { Undo } from '../undo.js';
import { MUTANTS, type Mutant } from './mutants.js';
import { makeMutant } from './mutate.js';
import { Stage } from './stage.js';

/** Scenes leave tasks behind: that everything ends is not for them to say. */
const JUDGES = Object.entries(RULES).filter(([name]) => name !== 'everythingEnds');

async function play(stage: Stage, scenes: readonly Mutant[]): Promise<ReadonlyMap<string, Violation[]>> {
  for (const { scene } of scenes) await scene(stage);
  const evidence = await stage.evidence();
  await stage.close();
  return new Map(JUDGES.map(([name, rule]) => [name, rule(evidence)]));
}

await endWith(new Undo(), async (undo) => {
  const wanted = process.argv.slice(2);
  const mutants = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (mutants.length === 0) throw new Error(`there is no such mutant; there are ${MUTANTS.map(({ name }) => name).join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-mutants-'));
  await chmod(folder, 0o711);
  undo.add(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const postgres = await Postgres.start(folder, undo);
  const open = async (name: string, edits: Mutant['edits']): Promise<Stage> =>
    Stage.open({ name, folder, main: await makeMutant(join(folder, 'copies', name), edits), postgres, undo });

  let escaped = 0;
  for (const mutant of mutants) {
    const found = await play(await open(mutant.name, mutant.edits), [mutant]);
    const by = mutant.caughtBy.flatMap((rule) => found.get(rule) ?? []).filter(({ words }) => mutant.words?.test(words) !== false);
    if (by.length === 0) escaped += 1;
    console.log(by.length === 0 ? `ESCAPED  ${mutant.name}: ${mutant.mistake}` : `caught   ${mutant.name}: ${by[0]?.rule ?? ''}: ${by[0]?.words ?? ''}`);
  }
  const healthy = [...(await play(await open('healthy', []), mutants)).values()].flat();
  for (const { rule, words } of healthy) console.log(`ACCUSED  the healthy API: ${rule}: ${words}`);
  console.log(`chaos: ${mutants.length - escaped} of ${mutants.length} mutants caught, the healthy API ${healthy.length === 0 ? 'cleared' : 'accused'}`);
  return escaped === 0 && healthy.length === 0 ? 0 : 1;
});
