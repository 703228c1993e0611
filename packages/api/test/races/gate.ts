/**
 * A statement held where it has its snapshot and has looked at no row yet: what is committed meanwhile it can only find out by
 * locking. The gate is an advisory lock that the statement takes on its way, beside the table where it looks for its rows.
 */
import { sql, type KyselyPlugin, type QueryId } from 'kysely';
import type { Database } from '../../src/db/database.js';

const GATE = 1;

/** Shuts the gate until the transaction is over. */
export async function shutGate(transaction: Database): Promise<void> {
  await sql`select pg_advisory_xact_lock(${GATE}::int)`.execute(transaction);
}

/** Where statements run of which the first waits at the gate as it begins to read `place`, a text of it that begins with "from ". */
export function gated(db: Database, place: string): Database {
  const built = new Set<QueryId>();
  let isFirst = true;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      if (node.kind !== 'RawNode' || !isFirst) return node;
      const sqlFragments = node.sqlFragments.map((text) =>
        text.replace(place, `from (select pg_advisory_xact_lock_shared(${GATE})) as gate cross join ${place.slice('from '.length)}`));
      if (sqlFragments.join() !== node.sqlFragments.join()) built.add(queryId);
      return { ...node, sqlFragments };
    },
    transformResult: ({ result, queryId }) => {
      if (isFirst && !built.has(queryId)) throw new Error(`the statement does not read ${place}`);
      isFirst = false;
      return Promise.resolve(result);
    },
  };
  return db.withPlugin(plugin);
}
