/**
 * What tasks that behave badly do to a worker: a real worker process, built, runs them one after another and then all together,
 * against the conformance kit's scripted API. Printed for each: how it ended, the worker's memory, and the longest time between
 * two of its heartbeats, which it was asked to send every second. Linux only.
 *
 *     node bench/hostile.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScriptedApi } from '../packages/worker/dist/conformance/scripted-api.js';
import { startLogged } from './lib/logged.mjs';
import { rssOf } from './lib/proc.mjs';
import { Undo } from './lib/undo.mjs';

const INTERVAL_SECONDS = 1;
const LEASE_SECONDS = 6;
const SAMPLE_MS = 20;
const DISK_MIB = 64;
const PATIENCE_MS = 180_000;
/** An argument by which what a task has left running is found. */
const MARK = '98765.4321';

/** Shell programs; of one with `cancelAfter` the task is cancelled after so many seconds. */
const TASKS = {
  'no-newline': { what: '1 GB on stdout without a newline', script: 'head -c 1000000000 /dev/zero | tr "\\\\0" x' },
  'tiny-lines': { what: 'a million lines of one character', script: 'yes | head -n 1000000' },
  'ignores-term': { what: 'ignores TERM; cancelled after 2 s', script: `trap "" TERM; while :; do sleep ${MARK} & wait; done`, cancelAfter: 2 },
  'double-fork': { what: 'leaves a process in a session of its own', script: `setsid sh -c "trap '' TERM HUP; sleep ${MARK}" & sleep 1` },
  'full-disk': { what: 'fills the disk of the scratch folder', script: 'cat /dev/zero > "$TASK_SCRATCH_DIR/full"; cat /dev/zero > "$TASK_ARTIFACTS_DIR/full"; exit 3' },
  'burns': { what: 'four loops for 10 s', script: 'for n in 1 2 3 4; do timeout 10 sh -c "while :; do :; done" & done; wait; true' },
};

const undo = new Undo();
const folder = mkdtempSync(join(tmpdir(), 'task-executor-hostile-'));
undo.add(() => rm(folder, { recursive: true, force: true }));

/** A small disk for the scratch folders, where this user may mount one. */
function scratchFolder() {
  const path = join(folder, 'scratch');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path], { stdio: 'ignore' });
    undo.add(() => execFileSync('umount', ['-l', path]));
    return path;
  } catch {
    console.log('no disk can be mounted here: full-disk is left out');
    delete TASKS['full-disk'];
    return path;
  }
}

/** How many processes carry the mark. */
function marked() {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').includes(MARK);
    } catch {
      return false;
    }
  }).length;
}

/** Runs the tasks called `names` at once, and prints a row. */
async function measure(api, pid, title, names) {
  const before = api.of('heartbeat').length;
  const tasks = names.map((name) => [name, api.give({ problem_id: `hostile-${name}`, timeout_seconds: 120 })]);
  const began = performance.now();
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, rssOf(pid) ?? 0);
  }, SAMPLE_MS);
  const ends = await Promise.all(tasks.map(async ([name, task]) => {
    await api.until(() => task.attempt > 0);
    if (TASKS[name].cancelAfter !== undefined) {
      await sleep(TASKS[name].cancelAfter * 1000);
      api.cancel(task);
      await api.until(() => marked() === 0 || null, AbortSignal.timeout(PATIENCE_MS));
      return 'stopped';
    }
    const { verb, body } = await api.until(() => api.model.ended.get(`${task.id}/${task.attempt}`), AbortSignal.timeout(PATIENCE_MS));
    return verb === 'complete' ? verb : `${verb}: ${String(body.error ?? body.reason).slice(0, 60)}`;
  }));
  const seconds = (performance.now() - began) / 1000;
  // One more, so that a heartbeat that is late now is seen.
  await api.untilCalls('heartbeat', api.of('heartbeat').length + 2);
  clearInterval(sampling);
  const times = api.of('heartbeat').slice(Math.max(0, before - 1)).map(({ at }) => at);
  const gap = Math.max(...times.slice(1).map((at, n) => at - times[n])) / 1000;
  console.log(`${title.padEnd(42)} ${seconds.toFixed(1).padStart(6)} s  ${(peak / 2 ** 20).toFixed(0).padStart(4)} MiB  ${gap.toFixed(2).padStart(5)} s  ${String(marked()).padStart(4)}  ${ends.join('; ')}`);
  return { peak, gap };
}

try {
  const api = new ScriptedApi();
  api.model.leaseSeconds = LEASE_SECONDS;
  api.model.intervalSeconds = INTERVAL_SECONDS;
  const url = await api.start();
  undo.add(() => api.stop());
  const catalog = {
    scratch: { folder: scratchFolder() },
    problems: Object.entries(TASKS).map(([name, { script }]) => ({ match: `hostile-${name}`, command: ['sh', '-c', script], grace_seconds: 1 })),
  };
  writeFileSync(join(folder, 'catalog.yaml'), JSON.stringify(catalog));
  const { pid } = await startLogged('hostile-worker', ['packages/worker/dist/main.js', 'start', '--catalog', join(folder, 'catalog.yaml'), '--concurrency', '8'],
    (own) => ({ API_URL: url, SPOOL_DIR: own }), ['registered'], undo);
  await api.untilCalls('heartbeat', 2);
  console.log(`the worker at rest: ${((rssOf(pid) ?? 0) / 2 ** 20).toFixed(0)} MiB`);
  console.log(`${''.padEnd(42)}     took      RSS   gap    left  ended`);
  const rows = [];
  for (const [name, { what }] of Object.entries(TASKS)) rows.push(await measure(api, pid, what, [name]));
  rows.push(await measure(api, pid, 'all of these at once', Object.keys(TASKS)));
  const most = (of) => Math.max(...rows.map(of));
  console.log(`\nworker memory at most ${(most(({ peak }) => peak) / 2 ** 20).toFixed(0)} MiB; at most ${most(({ gap }) => gap).toFixed(2)} s between heartbeats (asked: every ${INTERVAL_SECONDS} s, lease ${LEASE_SECONDS} s)`);
} finally {
  await undo.all();
}
