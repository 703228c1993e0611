/** Reading the parameters of a request that the validator has taken. */
import type { Request } from 'express';
import { validationProblem } from './problem.js';

/** A query parameter that the contract declares a string, or null. */
export function queryText(req: Request, name: string): string | null {
  const value = (req.query as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

/** A query parameter that the contract declares an integer (the validator has converted it), or `otherwise`. */
export function queryNumber<Otherwise extends number | null>(req: Request, name: string, otherwise: Otherwise): number | Otherwise {
  const value = (req.query as Record<string, unknown>)[name];
  return value === undefined ? otherwise : finite(`/query/${name}`, value);
}

/**
 * What the validator has taken for a number. It reads 1e400 as infinity, for which it then looks at no bound (ajv's strictNumbers).
 * @throws Problem
 */
export function finite(path: string, value: unknown): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw validationProblem(path, 'must be a finite number');
  return number;
}

/** A path parameter; the contract has checked its form. */
export function pathText(req: Request, name: string): string {
  const value = req.params[name];
  if (typeof value !== 'string') throw new Error(`the route has no parameter ${name}`);
  return value;
}
