/** What a rule of the protocol is, and how a program under test is judged by it. */
import type { Bench } from './bench.js';

export type Level = 'basic' | 'full';

/** A situation that a worker is put into, and the rules that it shows. */
export interface Scenario {
  readonly level: Level;
  /** What the worker has to do, by the ids of the rules in docs/protocol.md. */
  readonly rules: Readonly<Record<string, string>>;
  /** Says of each rule whether it was kept (`bench.judge`); what it does not judge when it fails is broken. */
  readonly play: (bench: Bench) => Promise<void>;
}

export interface Verdict {
  readonly rule: string;
  readonly level: Level;
  readonly text: string;
  /** `unseen`: the program did nothing that the rule is about. */
  readonly verdict: 'kept' | 'broken' | 'unseen';
  /** What was seen instead; empty for a rule that was kept. */
  readonly why: string;
}
