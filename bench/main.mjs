/**
 * The benchmark (see docs/performance.md). Everything that it starts ends with it, on Ctrl-C too. A missed target is a finding and
 * not a failure: the exit code is 0 unless the benchmark itself breaks.
 */
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Failure, main } from '../scripts/lib/run.mjs';
import { describeMachine, printMachine } from './lib/machine.mjs';
import { readOptions, USAGE } from './lib/options.mjs';
import { preparePeers } from './lib/peers.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { printScenario } from './lib/report.mjs';
import { Systems } from './lib/system.mjs';
import { Undo } from './lib/undo.mjs';

const undo = new Undo();
let signalled = false;
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]]) {
  process.on(signal, () => {
    if (signalled) return;
    signalled = true;
    console.error('bench: stopping everything ...');
    undo.all().finally(() => process.exit(128 + number));
  });
}

async function runAll() {
  const options = readOptions(process.argv.slice(2));
  const scenarios = chosen(options.only);
  if (options.help || options.list) {
    console.log(options.help ? USAGE : scenarios.map(({ name }) => name).join('\n'));
    return;
  }
  const peers = options.peers ? await preparePeers() : null;
  const postgres = await startPostgres(undo);
  const machine = await describeMachine();
  const server = { kind: postgres.kind, settings: await postgres.describe(), commitMs: await postgres.commitMs() };
  printMachine(machine, server, options);
  const systems = new Systems(postgres, undo, options.sizes);
  const found = { machine, postgres: server, mode: options.mode, sizes: options.sizes, peers: peers?.versions ?? null, scenarios: [] };
  for (const { name, file } of scenarios) {
    const began = performance.now();
    const say = (what) => process.stderr.write(`bench: ${name}: ${what}\n`);
    const { title, run } = await import(new URL(`scenarios/${file}`, import.meta.url));
    const result = await run({ sizes: options.sizes, undo, postgres, systems, say, peers: peers?.on(postgres, undo) ?? null });
    const scenario = { name, title, targets: [], notes: [], ...result, seconds: (performance.now() - began) / 1000 };
    printScenario(scenario);
    found.scenarios.push(scenario);
    // After each, so that a run that is broken off leaves what it has.
    if (options.json !== null) await writeFile(options.json, `${JSON.stringify(found, null, 2)}\n`);
  }
  const targets = found.scenarios.flatMap((scenario) => scenario.targets);
  const count = (met) => targets.filter((one) => one.met === met).length;
  console.log(`\n${count(true)} targets met, ${count(false)} missed, ${count(null)} not measured`);
}

/** The scenarios whose name holds one of `only`, or all. @throws Failure where there is none */
function chosen(only) {
  const all = readdirSync(new URL('scenarios/', import.meta.url)).sort().map((file) => ({ file, name: file.replace(/\.mjs$/, '') }));
  const scenarios = only.length === 0 ? all : all.filter(({ name }) => only.some((part) => name.includes(part)));
  if (scenarios.length === 0) throw new Failure(`No scenario is called ${only.join(' or ')}: there are ${all.map(({ name }) => name).join(', ')}.`);
  return scenarios;
}

await main(async () => {
  try {
    await runAll();
  } catch (error) {
    // What fails because everything was stopped is no news.
    if (!signalled) throw error;
  } finally {
    if (!signalled) await undo.all();
  }
});
if (!signalled) process.exit();
