/**
 * `npm run model`: checks test/model with spin, exhaustively, in several configurations; see docs/reliability.md. `--small`: in those that
 * take seconds. `--mutants`: also, that each deliberate mistake is caught, by the property that is there for it. Needs spin and a C
 * compiler, nothing else. Exit code 0: all holds and every mutant is caught; 1: not so, or a search was cut short; 3: a program is missing.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { main, root, signalAll } from './lib/run.mjs';
import { check, missingPrograms } from './lib/spin.mjs';

const folder = join(root, 'test', 'model');
const file = join(folder, 'protocol.pml');
/** The model's one LTL formula: no run goes on for ever without it. */
const LIVENESS = 'every run comes to its end';

const NOTHING = { LOSSES: 0, COPIES: 0, TIMEOUTS: 0, CANCELS: 0, DEPENDENTS: 0 };

/** What may go wrong, how often (see the bounds in protocol.pml); `LIVENESS`: it is the formula that is checked. */
const SMALL = {
  'a copy': { ...NOTHING, COPIES: 1, CANCELS: 1 },
  'a loss, a timeout': { ...NOTHING, LOSSES: 1, TIMEOUTS: 1, CANCELS: 1 },
  'a dependent': { ...NOTHING, CANCELS: 1, DEPENDENTS: 1 },
  'a dependent, to the end': { ...NOTHING, CANCELS: 1, DEPENDENTS: 1, LIVENESS: 1 },
};
const FULL = {
  'everything at once': { LOSSES: 1, COPIES: 1, TIMEOUTS: 1, CANCELS: 1, DEPENDENTS: 1 },
  'three sessions': { ...NOTHING, SESSIONS: 3, MAX_LOST: 3, LOSSES: 1, CANCELS: 1 },
  'three failures': { ...NOTHING, MAX_ATTEMPTS: 3, LOSSES: 1, TIMEOUTS: 2, CANCELS: 1 },
  'two copies': { ...NOTHING, LOSSES: 1, COPIES: 2, CANCELS: 1 },
  'two losses, a release': { ...NOTHING, LOSSES: 2, TIMEOUTS: 1, RELEASES: 1, CANCELS: 1 },
  'copies, to the end': { ...NOTHING, LOSSES: 1, COPIES: 1, TIMEOUTS: 1, CANCELS: 1, LIVENESS: 1 },
  'a dependent, to the end': { ...NOTHING, LOSSES: 1, TIMEOUTS: 1, CANCELS: 1, DEPENDENTS: 1, LIVENESS: 1 },
};

/** Each mistake, what has to go wrong for it to show, and the property that must catch it. */
const MUTANTS = {
  'fencing-dropped': [{ LOSSES: 1 }, 'no stale report is accepted'],
  'sweeper-reads-then-writes': [{}, 'an attempt ends once'],
  'complete-not-repeatable': [{ LOSSES: 1 }, 'a repeated report gets the first one\'s answer'],
  'cancel-ignores-state': [{ CANCELS: 1 }, 'an acknowledged cancel is the end of its task'],
  'lost-wake-up': [{ CANCELS: 1, DEPENDENTS: 1 }, 'the dependent is woken in every run'],
  'claim-takes-what-runs': [{}, 'at most one attempt holds the task'],
  'claim-not-repeatable': [{ LOSSES: 1 }, 'the task ends in every run'],
  'strays-kept': [{ COPIES: 1 }, 'the task ends in every run'],
};

async function properties() {
  const found = new Set();
  for (const name of (await readdir(folder)).filter((one) => one.endsWith('.pml')).sort()) {
    const text = await readFile(join(folder, name), 'utf8');
    for (const [, property] of text.matchAll(/^\s*MUST\(.*, "(.*)"\)/gm)) found.add(property);
  }
  return [...found];
}

function print(...cells) {
  const [name, ...figures] = cells;
  console.log(`${name.padEnd(28)}${figures.map((figure) => String(figure).padStart(13)).join('')}`);
}

/** Checks the configurations one by one; whether all properties hold in all of them. */
async function checkAll(configurations, { small }) {
  const broken = new Set();
  print('configuration', 'states', 'transitions', 'depth', 'MB', 'seconds');
  for (const [name, defines] of Object.entries(configurations)) {
    const found = await check({ file, defines, small, liveness: defines.LIVENESS === undefined ? null : LIVENESS });
    print(name, found.states, found.transitions, found.depth, Math.round(found.megabytes), found.seconds.toFixed(1));
    if (found.broken === null) continue;
    broken.add(found.broken);
    console.log(['', `VIOLATED in this configuration: ${found.broken}`, ...found.trail.map((line) => `    ${line}`), ''].join('\n'));
  }
  console.log();
  const known = [...await properties(), LIVENESS];
  // The search ends at the first violation: what else does not hold is not known then.
  const verdictOn = (property) => (broken.has(property) ? 'VIOLATED' : broken.size > 0 ? 'undecided' : 'holds');
  for (const property of known) console.log(`${verdictOn(property).padEnd(9)}  ${property}`);
  for (const other of broken) if (!known.includes(other)) console.log(`VIOLATED   ${other}`);
  return broken.size === 0;
}

/** Whether each mutant is caught by its property. */
async function catchAll() {
  let all = true;
  for (const [name, [troubles, property]] of Object.entries(MUTANTS)) {
    const defines = { ...NOTHING, ...troubles, [name.toUpperCase().replaceAll('-', '_')]: 1 };
    const { broken, trail, states } = await check({ file, defines, small: true, shortest: true });
    const caught = broken === property;
    all &&= caught;
    console.log(`\n${caught ? 'caught ' : 'ESCAPED'}  ${name}: ${broken ?? 'nothing is violated'} (${states} states)`);
    for (const line of trail) console.log(`    ${line}`);
  }
  return all;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signalAll('SIGTERM'));

await main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((one) => !['--small', '--mutants'].includes(one));
  if (unknown !== undefined) {
    console.error(`There is no ${unknown}; there are --small and --mutants.`);
    return 2;
  }
  const missing = await missingPrograms();
  if (missing.length > 0) {
    console.error(`The model needs spin and a C compiler (in Debian and Ubuntu the packages spin and gcc). Missing: ${missing.join(', ')}.`);
    return 3;
  }
  const small = wanted.includes('--small');
  const holds = await checkAll(small ? SMALL : FULL, { small });
  const caught = !wanted.includes('--mutants') || await catchAll();
  return holds && caught ? 0 : 1;
});
