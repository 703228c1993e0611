/** What a process tells of itself in its metrics: memory, CPU, garbage collection, the event loop. */
import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Names of prom-client's defaults that promtool rejects: `_total` on gauges. */
const REJECTED_DEFAULTS = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The usual 10 ms, a hundred timers a second, are 0.7 % of a core, which is most of what an idle API costs. */
const EVENT_LOOP_TIMER_MS = 50;

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_TIMER_MS });
  for (const name of REJECTED_DEFAULTS) registry.removeSingleMetric(name);
}
