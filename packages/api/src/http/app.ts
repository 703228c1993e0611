/** The Express application: guards, body, contract, handlers, errors, in this order. */
import express, { type Express } from 'express';
import { uploadRoutes } from './artifact-uploads.js';
import { artifactRoutes } from './artifacts.js';
import { readBody } from './body.js';
import { bulkRoutes } from './bulk.js';
import { claimRoutes } from './claims.js';
import { controlRoutes } from './controls.js';
import { eventRoutes } from './events.js';
import { explainRoutes } from './explain.js';
import { exportRoutes } from './export.js';
import { checkFraming } from './framing.js';
import { checkOrigin, giveRequestId } from './guards.js';
import { healthRoutes } from './health.js';
import { heartbeatRoutes } from './heartbeats.js';
import { internalWorkerRoutes } from './internal-workers.js';
import { observe } from './observe.js';
import { pageRoutes } from './pages.js';
import { handleErrors, Problem } from './problem.js';
import { reportRoutes } from './reports.js';
import { scheduleRoutes } from './schedules.js';
import type { Services } from './services.js';
import { taskReadRoutes } from './task-reads.js';
import { taskRoutes } from './tasks.js';
import { createValidator } from './validator.js';
import { workerRoutes } from './workers.js';
import { workflowRoutes } from './workflows.js';

/** The application, ready to answer: every operation of the contract is compiled when this resolves. */
export async function createApp(services: Services): Promise<Express> {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(giveRequestId, observe(services.metrics, services.log), checkFraming, checkOrigin(services.config.allowedHosts));
  app.use((req, res, next) => {
    // The validator knows no HEAD; Node leaves the body out by itself, and who would send a long one goes by `head`.
    res.locals.head = req.method === 'HEAD';
    if (req.method === 'HEAD') req.method = 'GET';
    next();
  });
  app.use(readBody(services.held), pageRoutes());
  app.use(await createValidator());
  // What is asked most comes first; fixed paths before those with an id in their place.
  app.use(claimRoutes(services), heartbeatRoutes(services), reportRoutes(services), taskRoutes(services));
  app.use(internalWorkerRoutes(services), workerRoutes(services));
  app.use(exportRoutes(services), taskReadRoutes(services), explainRoutes(services), eventRoutes(services));
  app.use(workflowRoutes(services), scheduleRoutes(services), bulkRoutes(services), controlRoutes(services));
  app.use(uploadRoutes(services), artifactRoutes(services));
  app.use(healthRoutes(services));
  app.use(() => {
    throw new Problem('path_not_found');
  });
  app.use(handleErrors(services.log));
  return app;
}
