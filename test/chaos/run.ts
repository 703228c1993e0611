/**
 * One run: the cast is started, clients work while the nemesis breaks things, then everything is mended (in liveness mode, all but
 * what is broken for good), what is left finishes, and the evidence is gathered.
 */
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cast } from './cast/cast.js';
import type { Evidence } from './checker/evidence.js';
import { operationsOf, readRuns } from './checker/records.js';
import { Sampler } from './checker/sampler.js';
import { readSnapshot, type Timetable } from './checker/snapshot.js';
import { call } from './clients/call.js';
import { BulkClient } from './clients/bulk-client.js';
import { Canceller } from './clients/canceller.js';
import type { ClientParts } from './clients/client.js';
import { FileWorker } from './clients/file-worker.js';
import { Follower } from './clients/follower.js';
import { History } from './clients/history.js';
import { Operator } from './clients/operator.js';
import { RawWorker } from './clients/raw-worker.js';
import { Retrier } from './clients/retrier.js';
import { SlyWorker } from './clients/sly-worker.js';
import { Stopper } from './clients/stopper.js';
import { Submitter } from './clients/submitter.js';
import { Twins } from './clients/twins.js';
import { Walker } from './clients/walker.js';
import { WorkflowMaker } from './clients/workflow-maker.js';
import { World } from './clients/world.js';
import { Clock, monotonicMs } from './clock.js';
import { Nemesis } from './nemesis/nemesis.js';
import { PERMANENT, schedule, type Event } from './nemesis/schedule.js';
import { Random } from './random.js';
import { LIMITED_LANE, SETTLE_SECONDS } from './settings.js';
import type { Undo } from './undo.js';

export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly mode: 'safety' | 'liveness';
  readonly folder: string;
  readonly apiMain: string;
  readonly undo: Undo;
  /** Ends the run early. */
  readonly stop: AbortSignal;
  readonly say: (line: string) => void;
}

export interface RunResult {
  readonly evidence: Evidence;
  /** See clock.ts. */
  readonly began: number;
  /** How long what was left took. */
  readonly settleSeconds: number;
  readonly events: readonly Event[];
  /** By how much the clock of this machine was set meanwhile. */
  readonly clockSetByMs: number;
}

const SCHEDULE_SECONDS = 5;
const REPEATED_KEYS = 20;
const FOLLOWERS = 3;
/** How often what was paused, drained or held is let go once more while what is left finishes. */
const LOOKS_PER_RELEASE = 25;

export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { seed, seconds, mode, folder, apiMain, undo, stop, say } = options;
  const random = new Random(seed);
  const clock = new Clock();
  const cast = await Cast.start({ folder, apiMain, undo });
  const events = schedule(seed, seconds, { smallDisks: cast.workers.some(({ disk }) => disk !== null) });
  const nemesis = new Nemesis(cast);
  const sampler = new Sampler(cast.postgres);
  const history = new History(monotonicMs);
  const timetable = await setUp(cast, clock);

  const over = new AbortController();
  const ends = AbortSignal.any([stop, over.signal]);
  // Everybody listens.
  setMaxListeners(0, stop, ends);
  const world = new World(history, ends);
  const crowd = await makeCrowd(cast, world, random);
  say(`chaos: ${events.length} faults in ${seconds} seconds`);
  const began = monotonicMs();
  const watching = Promise.all([world.watch(cast.postgres), sampler.run(ends)]);
  const working = Promise.all(crowd.all.map((one) => one.run()));
  await Promise.all([nemesis.run(events, stop), sleep(seconds * 1000, undefined, { signal: stop }).catch(() => undefined)]);
  if (mode === 'liveness') for (const { deed, target } of PERMANENT) await nemesis.breakForGood(deed, target);
  over.abort();
  await Promise.all([working, watching]);

  say(`chaos: ${mode === 'liveness' ? 'some of it stays broken' : 'everything is mended'}; what is left finishes`);
  const settled = monotonicMs();
  await endSchedule(cast, timetable.id, stop);
  for (const submitter of crowd.submitters) await submitter.repeatKeys(REPEATED_KEYS);
  await untilEmpty(cast, crowd.holders, stop);
  const settleSeconds = (monotonicMs() - settled) / 1000;
  if (!stop.aborted) await crowd.pauses.rank();
  await untilEmpty(cast, crowd.holders, stop);
  for (const walker of crowd.walkers) {
    await walker.walk();
    await walker.readStatistics();
  }
  await crowd.bulk.finish();
  await Promise.all(crowd.followers.map((follower) => follower.finish()));
  await readArtifacts(cast, crowd.files);
  const evidence = await gather(cast, nemesis, history, clock, timetable);
  return { evidence: { ...evidence, samples: sampler.samples }, began, settleSeconds, events, clockSetByMs: clock.setByMs };
}

/** A limit and a schedule, through a replica that nothing is wrong with yet; when the schedule is to fire. */
async function setUp(cast: Cast, clock: Clock): Promise<Timetable> {
  const url = `http://127.0.0.1:${cast.replicas[0]?.target?.port ?? 0}`;
  const limit = await call(url, { method: 'POST', path: '/api/v1/limits', body: { key: 'label:lane', value: 'narrow', max_running: LIMITED_LANE } });
  const made = await call(url, {
    method: 'POST', path: '/api/v1/schedules',
    body: {
      cron: `*/${SCHEDULE_SECONDS} * * * * *`, overlap: 'allow',
      task: { problem_id: 'chaos-scheduled', parameters: { marker: 'scheduled', ticks: 1, lines: 1, failures: 0 }, timeout_seconds: 15, max_lost: 20 },
    },
  });
  if (limit.result !== 'ok' || made.result !== 'ok') throw new Error(`the run could not be set up: ${JSON.stringify([limit, made])}`);
  const { id, next_runs: [first = ''] } = made.body as { id: string; next_runs: string[] };
  return { id, firstAt: clock.ofDatabase(new Date(first)), periodMs: SCHEDULE_SECONDS * 1000 };
}

/** One client after another, so that the same seed gives each the same randomness, and the same place among the proxies. */
async function makeCrowd(cast: Cast, world: World, random: Random) {
  const parts = async (name: string, options?: { mayDuplicate: boolean }): Promise<ClientParts> =>
    ({ name, world, random: random.fork(), url: await cast.clientUrl(name, options) });
  const repeatsNothing = { mayDuplicate: false };
  const submitters = [
    new Submitter({ kind: 'plain', ...await parts('submitter-1', repeatsNothing) }),
    new Submitter({ kind: 'careful', ...await parts('submitter-2') }),
    new Submitter({ kind: 'batches', ...await parts('submitter-3') }),
  ];
  const canceller = new Canceller(await parts('canceller'));
  const walkers = [new Walker(await parts('walker'))];
  const others: { run: () => Promise<void> }[] = [new Retrier(await parts('retrier')), new WorkflowMaker(await parts('workflows'))];
  for (const name of ['twins-1', 'twins-2']) others.push(new Twins(await parts(name, repeatsNothing)));
  const bulk = new BulkClient(await parts('bulk'));
  const pauses = new Operator({ what: 'pause', ...await parts('pauses', repeatsNothing) });
  const drains = new Operator({ what: 'drain', ...await parts('drains', repeatsNothing) });
  const followers: Follower[] = [];
  for (let n = 1; n <= FOLLOWERS; n++) followers.push(new Follower(await parts(`follower-${n}`)));
  const filesParts = await parts('files');
  const files = new FileWorker({ ...filesParts, raw: new RawWorker(filesParts) });
  const slys: SlyWorker[] = [];
  for (const name of ['sly-1', 'sly-2']) slys.push(new SlyWorker({ raw: new RawWorker(await parts(name)), canceller, world, random: random.fork() }));
  const stoppers: Stopper[] = [];
  for (const [name, end] of [['stopper-1', 'cancel'], ['stopper-2', 'cancel'], ['overrunner', 'timeout'], ['leaver', 'fault']] as const) {
    stoppers.push(new Stopper({ ...await parts(name), end }));
  }
  return {
    submitters, walkers, bulk, pauses, followers, files, holders: [pauses, drains, files, ...stoppers],
    all: [...submitters, canceller, ...others, bulk, files, pauses, drains, ...followers, ...walkers, ...slys, ...stoppers],
  };
}

/** Once no fire is due any more, so that each that was due has been made good. */
async function endSchedule(cast: Cast, id: string, stop: AbortSignal): Promise<void> {
  const deadline = monotonicMs() + SETTLE_SECONDS * 1000;
  while (!stop.aborted && monotonicMs() < deadline) {
    const ended = await cast.postgres.withClient((client) => client.query(
      'update schedules set ended_at = now(), updated_at = now() where id = $1 and next_at > now() returning id', [id]));
    if (ended.rowCount === 1) return;
    await sleep(100);
  }
}

/** `holders`: those who hold back what nobody else would end. */
async function untilEmpty(cast: Cast, holders: readonly { letGo: () => Promise<void> }[], stop: AbortSignal): Promise<void> {
  const deadline = monotonicMs() + SETTLE_SECONDS * 1000;
  for (let looks = 0; !stop.aborted && monotonicMs() < deadline; looks++) {
    const { rows } = await cast.postgres.withClient((client) => client.query<{ left: string }>(
      `select (select count(*) from queue) + (select count(*) from ended_parents)
             + (select count(*) from bulk_operations where state = 'running') as left`));
    if (Number(rows[0]?.left) === 0) return;
    if (looks % LOOKS_PER_RELEASE === 0) for (const holder of holders) await holder.letGo();
    await sleep(200);
  }
}

/** Every one that there is. */
async function readArtifacts(cast: Cast, files: FileWorker): Promise<void> {
  const { rows } = await cast.postgres.withClient((client) => client.query<{ id: string; task_id: string }>('select id, task_id from artifacts'));
  for (const { id, task_id: taskId } of rows) await files.read(taskId, id);
}

async function gather(cast: Cast, nemesis: Nemesis, history: History, clock: Clock, timetable: Timetable): Promise<Omit<Evidence, 'samples'>> {
  const recorded = await Promise.all(cast.workers.map(async ({ program, recordFile }) => operationsOf(program.name, await readFile(recordFile, 'utf8').catch(() => ''))));
  const registered = recorded.flat().flatMap((one) => (one.verb === 'register' && one.session !== null ? [[one.session, one.client] as const] : []));
  const database = await cast.postgres.withClient((client) => readSnapshot(client, clock, [timetable]));
  return {
    operations: [...history.operations, ...recorded.flat()].sort((a, b) => a.began - b.began),
    runs: await readRuns(cast.runsFolder, clock),
    troubles: nemesis.journal,
    ways: cast.wayCounts(),
    database,
    realSessions: new Set(registered.map(([session]) => session)),
    hostOfSession: new Map(registered),
  };
}
