/** A worker's own /health and /metrics: what it is doing, for whoever runs its host. Counts and numbers, no ids of tasks. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Registry } from 'prom-client';
import type { RunningWorker, WorkerState } from '../running-worker.js';
import { collectProcessMetrics } from './process-metrics.js';

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 100;

export interface StatusServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves on `port` (0: any free one) of `host`. @throws where that cannot be listened on */
export async function serveStatus(worker: RunningWorker, { port, host }: { port: number; host: string }): Promise<StatusServer> {
  const registry = metricsOf(worker);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (req, res) => {
    const path = (req.url ?? '').split('?')[0];
    if (req.method !== 'GET' && req.method !== 'HEAD') res.writeHead(405, { allow: 'GET, HEAD' }).end();
    else if (path === '/health') {
      const { status, body } = healthOf(worker);
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else if (path === '/metrics') {
      registry.metrics().then((text) => res.writeHead(200, { 'content-type': registry.contentType }).end(text), () => res.destroy());
    } else res.writeHead(404).end();
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** 200 where the worker can take tasks, or is finishing its last ones; 503 with the reason where it cannot. */
function healthOf(worker: RunningWorker): { status: number; body: Record<string, unknown> } {
  const { registered, unfit, draining, running, waitingReports } = worker.state();
  const reason = unfit ?? (registered || draining ? null : 'not registered with the API');
  const status = reason !== null ? 'unfit' : draining ? 'draining' : 'fit';
  return {
    status: reason === null ? 200 : 503,
    body: { status, reason, worker_id: worker.id, running_tasks: running, waiting_reports: waitingReports },
  };
}

function metricsOf(worker: RunningWorker): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectProcessMetrics(registry);

  const gauge = (name: string, help: string, read: (state: WorkerState) => number): void => {
    new Gauge({
      name: `task_executor_worker_${name}`, help, registers,
      collect() {
        this.set(read(worker.state()));
      },
    });
  };
  const counter = (name: string, help: string, label: string, read: (state: WorkerState) => Readonly<Record<string, number>>): void => {
    new Counter({
      name: `task_executor_worker_${name}`, help, labelNames: [label], registers,
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read(worker.state()))) this.inc({ [label]: value }, count);
      },
    });
  };
  counter('claims_total', 'Claims, by what they got.', 'result', ({ tally }) => tally.claims);
  counter('attempts_total', 'Attempts ended, by how.', 'outcome', ({ tally }) => tally.attempts);
  counter('heartbeats_total', 'Heartbeats, by whether they were answered.', 'result', ({ tally }) => tally.heartbeats);
  gauge('sessions', 'Registrations since the process began.', ({ tally }) => tally.sessions);
  gauge('running_tasks', 'Tasks that run.', ({ running }) => running);
  gauge('fit', 'Whether the worker is fit to run tasks.', ({ unfit }) => (unfit === null ? 1 : 0));
  gauge('registered', 'Whether the worker has a session.', ({ registered }) => (registered ? 1 : 0));
  gauge('draining', 'Whether the worker claims nothing more.', ({ draining }) => (draining ? 1 : 0));
  gauge('lease_left_seconds', 'What is left of the lease; 0 without one.', ({ leaseLeftMs }) => (leaseLeftMs ?? 0) / 1000);
  gauge('waiting_reports', 'Reports that the API has not yet answered.', ({ waitingReports }) => waitingReports);
  gauge('spool_bytes', 'What the spool holds.', ({ spoolBytes }) => spoolBytes);
  return registry;
}
