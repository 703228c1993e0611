/**
 * Reading in pieces: rows in an order, as many as a number and a number of bytes allow, and one at least where there is one. The
 * bytes are added up in the database, so that what does not fit is never sent.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';

export interface PieceSize {
  readonly limit: number;
  readonly bytes: number;
}

export interface Piece<Row> {
  readonly rows: Row[];
  /** Whether there are rows after these. */
  readonly hasMore: boolean;
  /** Whether the bytes, and not the number, ended the piece. */
  readonly isCut: boolean;
}

/** How long a json column is; 0 where it is null. As text: what is stored may be compressed to a hundredth of what is sent. */
export function jsonBytes(column: RawBuilder<unknown>): RawBuilder<number> {
  return sql`coalesce(octet_length(${column}::text), 0)`;
}

/**
 * A piece of `source`: a query of at most one row more than `limit`, so that it is known whether there are more. `rowBytes` and `order`
 * are expressions of its columns, and no two rows are equal in `order`.
 */
export async function readPiece<Row>(
  db: Database,
  source: RawBuilder<unknown>,
  rowBytes: RawBuilder<number>,
  order: RawBuilder<unknown>,
  { limit, bytes }: PieceSize,
): Promise<Piece<Row>> {
  const { rows } = await sql<Row & { has_next: boolean }>`
    select * from (select *, lead(true, 1, false) over place as has_next,
                          row_number() over place = 1
                            or (row_number() over place <= ${limit} and sum(${rowBytes}) over place <= ${bytes}) as fits
                     from (${source}) as found window place as (order by ${order} rows unbounded preceding)) as measured
     where fits
     order by ${order}`.execute(db);
  const hasMore = rows.at(-1)?.has_next === true;
  return { rows, hasMore, isCut: hasMore && rows.length < limit };
}
