/** The thread of the heartbeats: nothing else runs in it. What it is told and what it says is in pulse.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { ApiClient } from '@task-executor/shared';
import { Heartbeats } from './heartbeats.js';
import type { Event, Order, ThreadData } from './pulse.js';

const port = parentPort;
if (port === null) throw new Error('this file is the heartbeat thread of a worker; it cannot be run by itself');
const { stuckMs } = workerData as ThreadData;
const open = new Map<number, { heartbeats: Heartbeats; client: ApiClient }>();
/** Timers by session: each ends the process, should it not take note that the session is over. */
const watchdogs = new Map<number, NodeJS.Timeout>();

const say = (event: Event): void => {
  port.postMessage(event);
};

port.on('message', (order: Order) => {
  const { key } = order;
  if (order.kind === 'open') {
    const client = new ApiClient(order.apiUrl, order.apiHeaders);
    const heartbeats = new Heartbeats({
      client, identity: order.identity, leaseMs: order.leaseMs, intervalMs: order.intervalMs, renewedAt: order.renewedAt,
      events: {
        answered: (renewedAt, leaseMs) => {
          say({ kind: 'answered', key, renewedAt, leaseMs });
        },
        directed: (directives) => {
          say({ kind: 'directed', key, directives });
        },
        failed: (error) => {
          say({ kind: 'failed', key, error });
        },
        over: (reason) => {
          say({ kind: 'over', key, reason });
          // Task code that blocks the main thread would go on beside the task's next owner.
          if (stuckMs !== null) watchdogs.set(key, setTimeout(() => process.kill(process.pid, 'SIGKILL'), stuckMs));
        },
      },
    });
    open.set(key, { heartbeats, client });
    void heartbeats.run();
  } else if (order.kind === 'name') {
    open.get(key)?.heartbeats.name(order.attempts);
  } else if (order.kind === 'rest') {
    open.get(key)?.heartbeats.rest();
  } else if (order.kind === 'wake') {
    open.get(key)?.heartbeats.wake(order.renewedAt, order.terms);
  } else if (order.kind === 'heard') {
    clearTimeout(watchdogs.get(key));
    watchdogs.delete(key);
  } else {
    const one = open.get(key);
    open.delete(key);
    one?.heartbeats.stop();
    void one?.client.close();
  }
});
