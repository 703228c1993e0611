/**
 * Metrics of one process, in a registry of its own. No label holds an id, a path as it was sent or an error's text: all
 * label values come from closed sets.
 */
import { collectProcessMetrics } from '@task-executor/worker';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly submissions: Counter;
  readonly claims: Counter<'result'>;
  readonly attempts: Counter<'outcome'>;
  readonly outcomes: Counter<'status'>;
  readonly logLines: Counter;
  readonly eventLines: Counter;
  readonly artifacts: Counter;
  readonly artifactBytes: Counter<'direction'>;
  readonly requests: Histogram<'method' | 'operation' | 'status'>;
  readonly statements: Histogram<'pool' | 'result'>;
  /** Shows a number that is asked for whenever the metrics are. */
  show(name: `task_executor_${string}`, help: string, value: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const registers = [registry];
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30];
  return {
    registry,
    submissions: new Counter({ name: 'task_executor_submissions_total', help: 'Tasks submitted.', registers }),
    claims: new Counter({
      name: 'task_executor_claims_total', help: 'Claims answered, by what they got.', labelNames: ['result'], registers,
    }),
    attempts: new Counter({
      name: 'task_executor_attempts_total', help: 'Attempts ended, by outcome.', labelNames: ['outcome'], registers,
    }),
    outcomes: new Counter({
      name: 'task_executor_outcomes_total', help: 'Tasks ended, by status.', labelNames: ['status'], registers,
    }),
    artifacts: new Counter({ name: 'task_executor_artifacts_total', help: 'Artifacts stored.', registers }),
    artifactBytes: new Counter({
      name: 'task_executor_artifact_bytes_total', help: 'Bytes of artifacts that were stored, and that were sent.',
      labelNames: ['direction'], registers,
    }),
    eventLines: new Counter({ name: 'task_executor_event_lines_total', help: 'Log lines read for streams of events.', registers }),
    logLines: new Counter({ name: 'task_executor_log_lines_total', help: 'Log lines stored.', registers }),
    requests: new Histogram({
      name: 'task_executor_http_request_duration_seconds', help: 'Time to answer a request; claims include their wait.',
      labelNames: ['method', 'operation', 'status'], buckets, registers,
    }),
    statements: new Histogram({
      name: 'task_executor_sql_duration_seconds', help: 'Time of a database statement.',
      labelNames: ['pool', 'result'], buckets, registers,
    }),
    show: (name, help, value) => {
      new Gauge({
        name, help, registers,
        collect() {
          this.set(value());
        },
      });
    },
  };
}
