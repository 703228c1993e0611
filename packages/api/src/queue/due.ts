/** What the sweeper asks in each of its rounds: many questions in one statement. */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';

/** A question, in SQL: whether there is anything to do (a boolean), or about which tasks (an array of uuids). */
export type Question = RawBuilder<boolean> | RawBuilder<string[]>;

export type Answer = boolean | readonly string[];

/** The answers in the order of `questions`, and the milliseconds that they took in the database, without the wait for a connection. */
export async function answersTo(db: Database, questions: readonly Question[]): Promise<{ answers: readonly Answer[]; ms: number }> {
  const { rows: [asked] } = await sql<{ answers: Answer[]; ms: number }>`
    select json_build_array(${questions.length === 0 ? sql`` : sql.join(questions)}) as answers,
           extract(epoch from clock_timestamp() - statement_timestamp())::float8 * 1000 as ms`.execute(db);
  if (asked === undefined) throw new Error('the database gave no answer');
  return asked;
}
