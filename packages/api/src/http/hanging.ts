/**
 * Handlers of calls that may hang: ten thousand at a time, for a minute each. Express keeps the way that a request has come through its
 * routers, some kilobytes of closures, as long as the handler's promise and the request are there; here neither leads to it.
 */
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { handleErrors } from './problem.js';

/** A handler for Express that does what `handler` does, and answers with the problem of what that throws. */
export function hanging(log: Logger, handler: (req: Request, res: Response) => Promise<void>): RequestHandler {
  const answerError = handleErrors(log);
  return (req, res) => {
    req.next = undefined;
    handler(req, res).catch((error: unknown) => answerError(error, req, res, () => {
      // The head has been sent, so the answer cannot become a problem any more.
      res.destroy();
    }));
  };
}
