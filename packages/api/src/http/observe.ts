/** A log line and a measurement for every answer. */
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.js';

/** Operations whose answers are logged at debug. */
const QUIET = new Set([
  'heartbeat', 'claimTask', 'claimTasks', 'appendTaskLogs', 'reportTaskProgress', 'getHealth', 'getReadiness', 'getMetrics',
]);
const METHODS = new Set(['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS']);

interface OpenApiRequest {
  openapi?: { schema?: { operationId?: string } };
}

export function observe(metrics: Metrics, log: Logger): RequestHandler {
  return (req, res, next) => {
    const began = performance.now();
    const { method } = req;
    res.on('close', () => {
      const seconds = (performance.now() - began) / 1000;
      const operation = (req as OpenApiRequest).openapi?.schema?.operationId ?? 'none';
      const status = res.writableFinished || res.locals.answered === true ? res.statusCode : 499;
      metrics.requests.observe({ method: METHODS.has(method) ? method : 'other', operation, status: String(status) }, seconds);
      const level = status >= 500 ? 'warn' : QUIET.has(operation) ? 'debug' : 'info';
      log[level]({
        event: 'request', request_id: res.getHeader('X-Request-Id'), method, operation, status, ms: Math.round(seconds * 10_000) / 10,
      }, 'request');
    });
    next();
  };
}
