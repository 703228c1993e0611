/**
 * What goes wrong when: a pure function of the seed. Every kind of fault comes once before any comes again. Times are those of the
 * plan; how long a machine takes to carry it out is its own affair.
 */
import type { Fault } from '../network/proxy.js';
import { Random } from '../random.js';
import { LEASE_SECONDS } from '../settings.js';

export type NetworkPlace = 'worker' | 'client' | 'database';

export type Deed =
  | { readonly kind: 'kill_worker' | 'pause_worker' | 'kill_api' | 'pause_api' | 'fill_disk' }
  | { readonly kind: 'jump_worker_clock' | 'jump_api_clock'; readonly ms: number }
  | { readonly kind: 'crash_postgres' | 'pause_postgres' | 'terminate_backends' | 'hold_snapshot' }
  | { readonly kind: 'network'; readonly place: NetworkPlace; readonly fault: Fault };

/** Something that goes wrong. */
export interface Event {
  /** Milliseconds from the beginning of the run. */
  readonly at: number;
  /** How long it lasts. */
  readonly ms: number;
  /** Which of those it may hit, from 0 up to, not including, 1. */
  readonly target: number;
  readonly deed: Deed;
}

const LEASE_MS = LEASE_SECONDS * 1000;
const HOUR_MS = 3_600_000;

/** Seconds between the beginnings of two faults. */
const GAP_SECONDS = { least: 0.8, most: 2.4 };
const FIRST_MS = 1_500;
/** The end is left alone: what is broken there would only be mended. */
const LAST_MS = 2_000;

type Draw = (random: Random) => { ms: number; deed: Deed };

const lasting = (least: number, most: number, deedOf: (random: Random) => Deed): Draw => (random) => ({ ms: random.between(least, most), deed: deedOf(random) });

const network = (place: NetworkPlace, least: number, most: number, faultOf: (random: Random) => Fault): Draw =>
  lasting(least, most, (random) => ({ kind: 'network', place, fault: faultOf(random) }));

const PLACES: readonly NetworkPlace[] = ['worker', 'client', 'database'];

const NETWORK: readonly Draw[] = [
  ...PLACES.flatMap((place) => [
    network(place, 1_000, 4_000, (random) => ({ kind: 'delay', ms: random.whole(20, 400) })),
    network(place, 300, LEASE_MS * 1.3, () => ({ kind: 'cut' })),
    network(place, 500, LEASE_MS * 1.5, () => ({ kind: 'half_open' })),
    network(place, 1_000, 3_000, (random) => ({ kind: 'drip', bytes: random.whole(32, 256), ms: random.whole(2, 15) })),
    network(place, 200, 1_500, () => ({ kind: 'lost_answer' })),
  ]),
  ...(['worker', 'client'] as const).map((place) => network(place, 2_000, 5_000, () => ({ kind: 'duplicate' }))),
];

const PROCESSES: readonly Draw[] = [
  lasting(200, 2_000, () => ({ kind: 'kill_worker' })),
  lasting(200, 4_000, () => ({ kind: 'kill_worker' })),
  lasting(LEASE_MS * 0.5, LEASE_MS * 2, () => ({ kind: 'pause_worker' })),
  lasting(LEASE_MS * 1.2, LEASE_MS * 2, () => ({ kind: 'pause_worker' })),
  lasting(200, 2_500, () => ({ kind: 'kill_api' })),
  lasting(500, LEASE_MS * 1.5, () => ({ kind: 'pause_api' })),
  lasting(100, 1_500, () => ({ kind: 'crash_postgres' })),
  lasting(500, LEASE_MS * 1.2, () => ({ kind: 'pause_postgres' })),
  lasting(0, 0, () => ({ kind: 'terminate_backends' })),
  lasting(5_000, 15_000, () => ({ kind: 'hold_snapshot' })),
  lasting(3_000, 10_000, (random) => ({ kind: 'jump_worker_clock', ms: Math.round(random.between(-HOUR_MS, HOUR_MS)) })),
  lasting(3_000, 10_000, (random) => ({ kind: 'jump_api_clock', ms: Math.round(random.between(-HOUR_MS, HOUR_MS)) })),
];

const FULL_DISK = lasting(2_000, 6_000, () => ({ kind: 'fill_disk' }));

/** All faults of `seconds` seconds, in order. `smallDisks`: whether there are disks that can be filled. */
export function schedule(seed: number, seconds: number, { smallDisks }: { smallDisks: boolean }): Event[] {
  const random = new Random(seed);
  const kinds = [...NETWORK, ...PROCESSES, ...(smallDisks ? [FULL_DISK] : [])];
  const events: Event[] = [];
  let deck: Draw[] = [];
  for (let at = FIRST_MS; at < seconds * 1000 - LAST_MS; at += random.between(GAP_SECONDS.least, GAP_SECONDS.most) * 1000) {
    if (deck.length === 0) deck = random.shuffled(kinds);
    const draw = deck.pop();
    if (draw !== undefined) events.push({ at, target: random.next(), ...draw(random) });
  }
  return events;
}

/** What is broken for good in liveness mode: each on a host of its own, so that the one does not hide the other. */
export const PERMANENT: readonly { readonly deed: Deed; readonly target: number }[] = [
  { deed: { kind: 'kill_worker' }, target: 0.1 },
  { deed: { kind: 'kill_worker' }, target: 0.4 },
  { deed: { kind: 'pause_worker' }, target: 0.6 },
  { deed: { kind: 'network', place: 'worker', fault: { kind: 'half_open' } }, target: 0.9 },
  { deed: { kind: 'kill_api' }, target: 0 },
  { deed: { kind: 'network', place: 'database', fault: { kind: 'half_open' } }, target: 0.5 },
  { deed: { kind: 'hold_snapshot' }, target: 0 },
];

/** The name under which the journal has it. */
export const nameOf = (deed: Deed): string => (deed.kind === 'network' ? `${deed.place}_${deed.fault.kind}` : deed.kind);

/** The kinds of fault of a schedule. */
export const kindsOf = (events: readonly Event[]): string[] => [...new Set(events.map(({ deed }) => nameOf(deed)))];
