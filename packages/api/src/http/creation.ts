/**
 * What all requests that create have in common: an Idempotency-Key makes them safe to repeat, lost races are run again, and
 * what follows is done only once everything is durable.
 */
import type { Request, Response } from 'express';
import type { Database } from '../db/database.js';
import { keepAnswers, KeyReused, takeKeys } from '../queue/idempotency.js';
import { MissingParent, withRaces } from '../queue/submit.js';
import { Problem, validationProblem } from './problem.js';

/** What was created. */
export interface Creation {
  readonly status: 200 | 201 | 202;
  readonly location: string;
  readonly answer: unknown;
  /** Does what follows, once the creation is durable. */
  readonly after?: () => Promise<void> | void;
}

/**
 * Answers `req` with what `work` creates. `work` gets a transaction where `inTransaction`, where the request has a key, and once it has lost
 * a race: a transaction can lock what it raced against, but holds it for as long as this process takes. It may run several times, so it must
 * do nothing but work on its database.
 */
export async function answerCreation(
  db: Database,
  req: Request,
  res: Response,
  work: (db: Database) => Promise<Creation>,
  { inTransaction = false } = {},
): Promise<void> {
  const key = req.get('Idempotency-Key') ?? null;
  const request = key === null ? null : { key, operation: `${req.method} ${req.path}`, body: req.body as unknown };
  try {
    const created = await withRaces(async (lost): Promise<Creation & { replayed: boolean }> => {
      if (request === null && !inTransaction && lost === 0) return { ...(await work(db)), replayed: false };
      return db.transaction().execute(async (transaction) => {
        if (request !== null) {
          const [kept] = await takeKeys(transaction, [request]);
          if (kept != null) {
            const status = kept.status as Creation['status'];
            return { status, location: kept.location ?? '', answer: JSON.parse(kept.answer) as unknown, replayed: true };
          }
        }
        const creation = await work(transaction);
        if (request !== null) {
          const { status, location, answer } = creation;
          await keepAnswers(transaction, [{ key: request.key, status, location, answer: JSON.stringify(answer) }]);
        }
        return { ...creation, replayed: false };
      });
    });
    await created.after?.();
    if (created.replayed) res.setHeader('Idempotency-Replayed', 'true');
    res.status(created.status).location(created.location).json(created.answer);
  } catch (error) {
    if (error instanceof KeyReused) throw new Problem('idempotency_key_reused');
    if (error instanceof MissingParent) throw validationProblem('/body', error.message);
    throw error;
  }
}
