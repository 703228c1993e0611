/** Histories that once left the model, kept for ever. */
import type { Aim, Step } from './steps.js';
import type { Spec } from './task.js';

const SPEC: Spec = {
  problem: 'model-a', parameters: { n: 0 }, backend: null, priority: 5, labels: {}, maxAttempts: 1, backoffSeconds: 0, maxLost: 3, start: null,
  expires: null, runAnyway: false, dedupeKey: null, reuseSeconds: null,
};
const HELD: Aim = { at: 'held', pick: 0, worker: 0, withSession: true, withAttempt: true };

const register: Step = { verb: 'register', worker: 0, backend: 'kind', parallel: 3, globs: [] };
const claim: Step = { verb: 'claim', worker: 0, session: 'current', request: null };
const complete: Step = { verb: 'complete', aim: HELD, n: 0 };
const submit = (spec: Partial<Spec> = {}, parents: number[] = []): Step => ({ verb: 'submit', spec: { ...SPEC, ...spec }, parents, missing: false, byDelay: false, keyed: false });
const batch = (...specs: Partial<Spec>[]): Step => ({
  verb: 'batch', items: specs.map((spec) => ({ spec: { ...SPEC, ...spec }, parents: [], key: 'none', keyPick: 0 })), keyed: false,
});

const retryAll: Step = { verb: 'bulk', action: 'retry', filter: {}, keyed: false };

export const REGRESSIONS: Readonly<Record<string, readonly Step[]>> = {
  'a dedupe_key is free where its task has expired, and those that waited for its result go on': [
    submit({ dedupeKey: 'a', expires: 'future' }), submit({ reuseSeconds: 0 }), { verb: 'expire', pick: 0 },
    submit({ dedupeKey: 'a', reuseSeconds: 0, priority: 9 }), { verb: 'sweep' },
  ],
  'what a bulk retry has retried is not retried by the next one, but its retries are': [
    register, submit(), claim, { verb: 'fail', aim: HELD, retryable: false, after: null }, retryAll, { verb: 'sweep' },
    claim, { verb: 'fail', aim: HELD, retryable: false, after: null }, retryAll, { verb: 'sweep' }, retryAll, { verb: 'sweep' },
  ],
  'of two equal tasks in a batch, the second does not wait for one that took an older result': [
    register, submit(), claim, complete, batch({ reuseSeconds: 3600 }, { reuseSeconds: 0 }), { verb: 'sweep' },
  ],
  'of those that awaited an equal task in vain, the first to run stands in for it, and the others take its result': [
    register, submit(), batch({ reuseSeconds: 0, priority: 0 }, { reuseSeconds: 0, start: 'future', priority: 9 }, { reuseSeconds: 0 }),
    claim, { verb: 'fail', aim: HELD, retryable: false, after: null }, claim, complete, { verb: 'sweep' },
  ],
};
