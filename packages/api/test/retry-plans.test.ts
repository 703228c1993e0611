/** What is retried together, and in which order: whatever the tasks depend on, a plan is made, and nothing in it waits for itself. */
import { expect } from 'chai';
import fc from 'fast-check';
import { planAlong, type Lineages, type Planned } from '../src/queue/retry-plan.js';
import { partsOf } from '../src/queue/retry-many.js';

const TASKS = 8;

/** Ids in the order of submission. */
const idOf = (n: number): string => `task-${n}`;
const someTask = fc.nat(TASKS - 1).map(idOf);

type Row = Planned & { readonly dedupe_key: string | null };

const rows = fc.uniqueArray(fc.record({
  id: someTask,
  status: fc.constantFrom('failed' as const, 'cancelled' as const, 'completed' as const),
  run_anyway: fc.boolean(),
  dedupe_key: fc.option(fc.constant('key')),
  parents: fc.array(someTask.map((id) => ({ parent_id: id, name: id })), { maxLength: 3 }),
}), { selector: ({ id }) => id, maxLength: TASKS });

const member = fc.record({ id: someTask, status: fc.constantFrom(null, 'failed' as const, 'completed' as const), is_twin: fc.boolean() });
/** A parent's lineage: the task itself, and any others, as where a retry was answered with a task of another lineage. */
const lineages = fc.array(fc.array(member, { maxLength: 3 }), { minLength: TASKS, maxLength: TASKS })
  .map((all): Lineages => new Map(all.map((others, n) => {
    const parent = { id: idOf(n), status: 'failed' as const, is_twin: false };
    return [parent.id, [parent, ...others].sort((a, b) => a.id.localeCompare(b.id))];
  })));

describe('plans for retries', () => {
  it('name each task once, as one that is retried or one that is refused, and none before what it needs', () => {
    fc.assert(fc.property(rows, lineages, (retried: Row[], along) => {
      const { needs, refused } = planAlong(retried, along);
      expect([...needs.keys(), ...refused.keys()].sort()).to.deep.equal(retried.map(({ id }) => id).sort());
      for (const missing of refused.values()) expect(missing).to.not.have.length(0);
      const parts = partsOf(retried, { needs });
      expect(parts.flat().map(({ id }) => id).sort()).to.deep.equal([...needs.keys()].sort());
      const placed = new Set<string>();
      for (const part of parts) {
        const before = new Set(placed);
        for (const { id } of part) {
          for (const need of needs.get(id) ?? []) {
            if (!need.again) continue;
            const isKeyed = retried.some((row) => row.id === need.id && row.dedupe_key !== null);
            expect((isKeyed ? before : placed).has(need.id), `${id} needs ${need.id}`).to.equal(true);
          }
          placed.add(id);
        }
      }
    }));
  });

  it('refuse what would wait for itself, and what needs that, and no other', () => {
    const row = (id: string, ...parents: string[]): Row => ({
      id, status: 'failed', run_anyway: false, dedupe_key: null, parents: parents.map((parent) => ({ parent_id: parent, name: parent })),
    });
    const retried = [row('a'), row('b', 'a'), row('c', 'b', 'd'), row('d', 'c'), row('e', 'd', 'a')];
    const along: Lineages = new Map(retried.map(({ id, status }) => [id, [{ id, status, is_twin: false }]]));
    const { needs, refused } = planAlong(retried, along);
    expect([...needs.keys()]).to.deep.equal(['a', 'b']);
    expect([...refused].map(([id, missing]) => [id, missing.map((parent) => parent.id)])).to.deep.equal([['c', ['d']], ['d', ['c']], ['e', ['d']]]);
  });
});
