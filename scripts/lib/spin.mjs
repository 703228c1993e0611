/**
 * Checks one configuration of a Promela model with spin, exhaustively: generates and compiles the checker in a temporary folder, runs
 * it, and reads what it found. A search that was cut short by a limit counts for nothing and is a failure.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCode, Failure } from './run.mjs';

/** Megabytes; what the checker may take. Beyond it the search is cut short. */
const MEMORY_LIMIT = 2000;
/** Steps; runs of the model end after some hundred. */
const DEPTH_LIMIT = 100_000;

/** Of the programs that this needs, those that are not there. */
export async function missingPrograms() {
  const missing = [];
  for (const [program, question] of [['spin', '-V'], ['cc', '--version']]) {
    const code = await exitCode(program, [question], { stdio: 'ignore' }).catch(() => 1);
    if (code !== 0) missing.push(program);
  }
  return missing;
}

/**
 * Checks the model in `file` under `defines` (names with values). `liveness`: the name of its LTL formula, which is then what is checked.
 * `shortest`: a violation is to be as short as can be, which takes more memory. `small`: no more than some hundred thousand states.
 * What was found: `broken` is the property that does not hold, or null, and `trail` says, a step a line, how.
 * @throws Failure where the search was not exhaustive
 */
export async function check({ file, defines, small, liveness = null, shortest = false }) {
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-model-'));
  try {
    const given = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
    await output(folder, 'spin', ['-a', ...given, file]);
    // Two to the power of hashBits slots of eight bytes: with fewer than states it is slow. Compiling well takes longer than a small search.
    const { hashBits, optimisation } = small ? { hashBits: 20, optimisation: '-O0' } : { hashBits: 25, optimisation: '-O2' };
    const mode = liveness !== null ? ['-DNOFAIR'] : shortest ? ['-DSAFETY', '-DBFS'] : ['-DSAFETY'];
    await output(folder, 'cc', [optimisation, '-w', '-DCOLLAPSE', `-DMEMLIM=${MEMORY_LIMIT}`, ...mode, '-o', 'pan', 'pan.c']);
    const began = performance.now();
    const said = await output(folder, join(folder, 'pan'), ['-n', `-m${DEPTH_LIMIT}`, `-w${hashBits}`, ...(liveness === null ? [] : ['-a'])]);
    const seconds = (performance.now() - began) / 1000;
    const found = { ...figures(said), seconds };
    if (found.errors === 0) {
      if (/search not completed|max search depth|out of memory|memory limit|reached -DMEMLIM/i.test(said)) throw new Failure(`The search was cut short:\n${said}`);
      return { ...found, broken: null, trail: [] };
    }
    const trail = await replay(folder, given, file);
    const assertion = trail.find((line) => line.startsWith('BROKEN: '))?.slice('BROKEN: '.length);
    return { ...found, broken: assertion ?? (liveness !== null && said.includes('acceptance cycle') ? liveness : /pan:\d+: .*/.exec(said)?.[0]), trail };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a program prints. @throws Failure where it fails */
async function output(folder, program, args) {
  const said = [];
  const code = await exitCode(program, args, {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'],
    started: (child) => {
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
    },
  });
  const text = Buffer.concat(said).toString();
  if (code !== 0) throw new Failure(`${program} failed (exit code ${code}):\n${text}`);
  return text;
}

function figures(said) {
  const number = (pattern) => {
    const found = pattern.exec(said)?.[1];
    if (found === undefined) throw new Failure(`The checker did not end as it should:\n${said}`);
    return Number(found);
  };
  return {
    errors: number(/errors: (\d+)/), depth: number(/depth reached (\d+)/), states: number(/^\s*([\d.e+]+) states, stored/m),
    transitions: number(/([\d.e+]+) transitions/), megabytes: number(/([\d.]+)\s+total actual memory usage/),
  };
}

/** What the model says on the way to a violation, up to the first. */
async function replay(folder, given, file) {
  const trail = (await readdir(folder)).find((name) => name.endsWith('.trail'));
  if (trail === undefined) throw new Failure('The checker left no trail.');
  const [told] = (await output(folder, 'spin', ['-T', '-t', '-k', trail, ...given, file])).split('#processes');
  const lines = told.split('\n').filter((line) => line.trim() !== '' && !/^(spin:|ltl |Never claim)/.test(line));
  const last = lines.findIndex((line) => line.startsWith('BROKEN: '));
  return last < 0 ? lines : lines.slice(0, last + 1);
}
