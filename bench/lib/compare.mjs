/** Contenders take turns, so that what else the machine does meets all of them alike. */
import { perSecond, rowOf, target } from './report.mjs';

/** The samples of each contender `{ who, measure }`, in their order. */
export async function takeTurns(contenders, { sizes, say }) {
  const samples = contenders.map(() => []);
  for (let round = 1; round <= sizes.repeats; round++) {
    for (const [n, { who, measure }] of contenders.entries()) {
      say(`${who} (${round} of ${sizes.repeats})`);
      samples[n].push(await measure());
    }
  }
  return samples;
}

/** Measures with a system that is stopped afterwards. */
export async function withSystem({ systems }, work) {
  const system = await systems.take();
  try {
    return await work(system);
  } finally {
    await system.stop();
  }
}

/** The contenders that are other queues; none without --peers. `load` is one of those of bench/peers/main.mjs. */
export function peerContenders({ peers }, load, options, valueOf = perSecond) {
  return (peers?.names ?? []).map((name) => ({ who: name, peer: true, measure: async () => valueOf(await peers.measure(name, load, options)) }));
}

/** Rows of contenders measured in turn; `rows[0]` is ours. */
export async function compareContenders(contenders, context, { unit, digits = 0 }) {
  const samples = await takeTurns(contenders, context);
  return contenders.map(({ who, peer = false }, n) => ({ ...rowOf(who, unit, samples[n], digits), peer }));
}

/** Ours against the best of the peers: at least `atLeast` times as much. */
export function againstPeers(rows, atLeast) {
  const peers = rows.filter((row) => row.peer);
  const best = peers.reduce((most, row) => (most === null || row.median > most.median ? row : most), null);
  return target(`at least ${atLeast} x the best other queue on PostgreSQL${best === null ? '' : ` (${best.who})`}`, {
    value: best === null ? undefined : rows[0].median / best.median, atLeast, unit: ' x', why: 'run with --peers',
  });
}
