/** Limits on labels. Their key is `label:NAME`. */
import { sql, type RawBuilder } from 'kysely';

export const LABEL_PREFIX = 'label:';

/** The NAME in such a key. */
export function labelOf(key: RawBuilder<unknown>): RawBuilder<string> {
  return sql`substring(${key} from ${sql.lit(LABEL_PREFIX.length + 1)})`;
}

/** The names of all labels that limits are about, as a query with one column `key`. */
export const LIMITED_LABELS: RawBuilder<{ key: string }> = sql`
  select distinct ${labelOf(sql`key`)} as key from limits where key like ${sql.lit(`${LABEL_PREFIX}%`)}`;
