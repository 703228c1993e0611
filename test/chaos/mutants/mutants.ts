/** Eight mistakes that a queue can have, each with the scene in which it shows and the rules that must tell. */
import type { RULES } from '../checker/check.js';
import type { Held } from '../clients/raw-worker.js';
import type { Edit } from './mutate.js';
import type { Stage } from './stage.js';

export interface Mutant {
  readonly name: string;
  readonly mistake: string;
  readonly edits: readonly Edit[];
  /** Of these rules one at least must be broken. */
  readonly caughtBy: readonly (keyof typeof RULES)[];
  /** What must be said of it, where a rule is about many things. */
  readonly words?: RegExp;
  /** Played with the healthy API, it breaks no rule. */
  readonly scene: (stage: Stage) => Promise<void>;
}

/** A worker of its own with the one task of `problem`. */
async function claimed(stage: Stage, problem: string): Promise<Held> {
  const session = await stage.worker.register(null, [problem]);
  const held = session === null ? null : await stage.worker.claim(session, 5);
  if (held === null) throw new Error(`nobody could claim ${problem}`);
  return held;
}

const resultOf = ({ marker, attempt }: Held): Record<string, unknown> => ({ marker, attempt });

const fencingDropped: Mutant = {
  name: 'fencing-dropped',
  mistake: 'a report counts whoever makes it',
  edits: [{
    file: 'queue/fence.js',
    find: `and q.worker_id = g.worker_id
    and q.session_id is not distinct from coalesce(g.session_id, (select session_id from workers where id = g.worker_id))
    and q.attempt = coalesce(g.attempt, q.attempt))`,
    replace: 'and g.worker_id is not null)',
  }],
  caughtBy: ['acknowledgedReportsCount'],
  scene: async (stage) => {
    await stage.submit('fenced');
    const first = await claimed(stage, 'fenced');
    await stage.worker.register(first.workerId, ['nothing-of-this']);
    const second = await claimed(stage, 'fenced');
    await stage.worker.deliver(first, 'completed', resultOf(first));
    await stage.worker.deliver(second, 'completed', resultOf(second));
  },
};

const sweeperReadsThenWrites: Mutant = {
  name: 'sweeper-reads-then-writes',
  mistake: 'the sweep decides by what it read before, and writes by the id alone',
  edits: [{
    file: 'queue/sweep.js',
    find: 'export async function sweepTimeouts(db, among) {\n',
    replace: `export async function sweepTimeouts(db, among) {
    await sql\`update chaos_gate set is_read = true\`.execute(db);
    while (!(await sql\`select is_open from chaos_gate\`.execute(db)).rows[0].is_open) await new Promise((resolve) => setTimeout(resolve, 50));
`,
  }, {
    file: 'queue/sweep.js',
    find: 'where ${stillSo(TIMED_OUT, among)}',
    replace: "where q.state = 'running' and q.task_id = any (${among}::uuid[])",
  }],
  caughtBy: ['timeoutsAreNotEarly'],
  scene: async (stage) => {
    // The mutant waits between reading and writing until we let it; the healthy API knows nothing of a gate.
    await stage.run('create table chaos_gate as select false as is_read, false as is_open');
    const id = await stage.submit('swept', { timeout_seconds: 5, retry: { max_attempts: 5, initial_seconds: 0 } });
    const held = await claimed(stage, 'swept');
    await stage.eventually(`select is_read or exists (select from attempts where task_id = '${id}') as ok from chaos_gate`, 30);
    await stage.worker.deliver(held, 'failed', { error: 'at the last moment' });
    await stage.worker.claim(held, 5);
    await stage.run('update chaos_gate set is_open = true');
    await stage.eventually(`select count(*) = 2 as ok from attempts where task_id = '${id}'`, 30);
  },
};

const claimByInSubquery: Mutant = {
  name: 'claim-by-in-subquery',
  mistake: 'the claim picks with "in (select ... limit 1 for update skip locked)", which a nested loop runs again for each row',
  edits: [{
    file: 'queue/claim-parts.js',
    find: "where ${isPlacedAt('pick')}",
    replace: `where q.state = 'pending' and q.task_id in (select f.task_id from queue f where f.state = 'pending' limit 1 for update skip locked)`,
  }, {
    file: 'db/settings.js',
    find: "enable_bitmapscan: 'off',",
    replace: "enable_bitmapscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off', enable_hashagg: 'off', enable_sort: 'off', enable_material: 'off',",
  }],
  caughtBy: ['databaseIsSound'],
  words: /a session holds at most max_parallel_tasks/,
  scene: async (stage) => {
    await stage.submitMany('subquery', 5);
    const session = await stage.worker.register(null, ['subquery']);
    if (session !== null) await stage.worker.claim(session, 1);
    await stage.look();
  },
};

const acknowledgedBeforeCommit: Mutant = {
  name: 'acknowledged-before-commit',
  mistake: 'a submission is answered before its transaction is committed',
  edits: [{
    file: 'http/creation.js',
    find: 'return { ...creation, replayed: false };',
    replace: `res.status(creation.status).location(creation.location).json(creation.answer);
                await new Promise((resolve) => setTimeout(resolve, 5000));
                return { ...creation, replayed: false };`,
  }],
  caughtBy: ['acknowledgedSubmissionsAreThere'],
  scene: async (stage) => {
    await stage.submit('acknowledged');
    await stage.killApi();
  },
};

const completeNotRepeatable: Mutant = {
  name: 'complete-not-repeatable',
  mistake: 'a completion that is repeated is refused',
  edits: [{ file: 'queue/fence.js', find: 'return rows[0]?.reported ?? false;', replace: 'return false;' }],
  caughtBy: ['reportsCanBeRepeated'],
  scene: async (stage) => {
    await stage.submit('repeated');
    const held = await claimed(stage, 'repeated');
    for (let n = 0; n < 2; n++) await stage.worker.deliver(held, 'completed', resultOf(held));
  },
};

const cursorByMilliseconds: Mutant = {
  name: 'cursor-by-milliseconds',
  mistake: 'a cursor goes on after the millisecond of the last task, not after the task',
  edits: [{ file: 'queue/list.js', find: 'place = { key, id };', replace: "place = { key, id: `${id.slice(0, 13)}-7fff-bfff-ffffffffffff` };" }],
  caughtBy: ['walksAreWhole'],
  scene: async (stage) => {
    await stage.submitMany('walked', 30);
    await stage.walk(7);
  },
};

const lostWakeUp: Mutant = {
  name: 'lost-wake-up',
  mistake: 'the end of a task leaves no note for those that depend on it',
  edits: [{ file: 'queue/history.js', find: 'from ended where has_dependents', replace: 'from ended where false' }],
  caughtBy: ['databaseIsSound'],
  words: /its parent will tell of its end|no blocked task whose parents have all ended/,
  scene: async (stage) => {
    const parent = await stage.submit('parent');
    const child = await stage.submit('child', { depends_on: [parent] });
    const held = await claimed(stage, 'parent');
    await stage.worker.deliver(held, 'completed', resultOf(held));
    await stage.eventually(`select state = 'pending' as ok from queue where task_id = '${child}'`, 6);
  },
};

const cancelIgnoresState: Mutant = {
  name: 'cancel-ignores-state',
  mistake: 'a cancel is acknowledged whatever has become of the task',
  edits: [{ file: 'queue/cancel.js', find: 'return row ?? null;', replace: 'return row ?? { task_id: taskId, worker_id: null, has_dependents: false };' }],
  caughtBy: ['acknowledgedCancelsCount'],
  scene: async (stage) => {
    const id = await stage.submit('cancelled');
    const held = await claimed(stage, 'cancelled');
    await stage.worker.deliver(held, 'completed', resultOf(held));
    await stage.canceller.cancel(id);
  },
};

/** Those that need the API alive come first; the last one kills it. */
export const MUTANTS: readonly Mutant[] = [
  fencingDropped, sweeperReadsThenWrites, claimByInSubquery, completeNotRepeatable, cursorByMilliseconds, lostWakeUp, cancelIgnoresState, acknowledgedBeforeCommit,
];
