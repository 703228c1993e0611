import { connect } from 'node:net';
import { ApiClient, parseEvents, type TaskEvent } from '@task-executor/shared';
import { expect } from 'chai';
import { request } from 'undici';
import type { RunningServer } from '../src/server.js';
import { eventually, workerWithTask, type TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { startProxy } from './support/proxy.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('events of a task', () => {
  let api: TestApi;
  /** Another server on the same database, with narrow bounds. */
  let strict: RunningServer;
  let worker: TestWorker;
  let client: ApiClient;
  let id: string;

  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '600' });
    strict = await api.replica({ MAX_EVENT_STREAMS: '1', STALL_SECONDS: '1' });
    client = new ApiClient(api.url);
  });
  after(async () => {
    await client.close();
    await api.stop();
  });
  // Each test has a worker of its own, which runs a task of its own.
  beforeEach(async () => {
    ({ worker, id } = await workerWithTask(api));
  });

  const append = async (from: number, to: number, text = 'line'): Promise<void> => {
    const entries = Array.from({ length: to - from }, (_none, n) => ({ message: `${text} ${from + n}`, level: (from + n) % 2 === 0 ? 'info' : 'error' }));
    expect((await worker.report('logs', id, { offset: from, entries }, 1)).status).to.equal(200);
  };

  /** The events of a stream as they come; `next` waits for the first that fits. */
  function follow(url = api.url, query = '', headers: Record<string, string> = {}) {
    const leave = new AbortController();
    const seen: TaskEvent[] = [];
    let failure: unknown;
    const response = request(`${url}/api/v1/tasks/${id}/events${query}`, { headers, signal: leave.signal });
    const done = (async () => {
      for await (const { id: place, event, data } of parseEvents((await response).body)) seen.push({ id: place, event, data: JSON.parse(data) as unknown } as TaskEvent);
    })().catch((error: unknown) => {
      failure = error;
    });
    return {
      seen,
      response,
      done,
      leave: async () => {
        leave.abort();
        await done;
      },
      next: (fits: (event: TaskEvent) => boolean) => eventually(() => {
        if (failure !== undefined) throw failure instanceof Error ? failure : new Error('the stream failed');
        return Promise.resolve(seen.find(fits));
      }),
    };
  }
  const isStatus = (status: string) => (event: TaskEvent): boolean => event.event === 'status' && event.data.status === status;
  const linesOf = (events: readonly TaskEvent[]): number[] => events.flatMap((event) => (event.event === 'log' ? [event.data.id] : []));
  const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_none, n) => first + n);

  it('tells of every change, and ends with the task', async () => {
    const stream = follow(api.url, '?logs=true');
    const { headers, statusCode } = await stream.response;
    expect(statusCode).to.equal(200);
    expect(headers['content-type']).to.equal('text/event-stream; charset=utf-8');
    await stream.next(isStatus('pending'));
    await worker.claim();
    await stream.next(isStatus('running'));
    await worker.report('progress', id, { step: 1, total: 2 }, 1);
    await stream.next((event) => event.event === 'progress' && event.data.step === 1);
    await append(0, 3);
    await stream.next((event) => event.event === 'log' && event.data.id === 3);
    await append(3, 5);
    await worker.report('complete', id, {}, 1);
    await stream.done;
    expect(stream.seen.map(({ event }) => event).filter((event) => event !== 'log')).to.deep.equal(['status', 'status', 'progress', 'status']);
    expect(linesOf(stream.seen)).to.deep.equal(upTo(5));
    expect(stream.seen.at(-1)).to.deep.include({ id: '5-end', event: 'status' });
    expect(stream.seen.at(-1)?.data).to.include({ task_id: id, status: 'completed', worker_id: worker.id, attempt: 1, reason: null });
  });

  it('shows a task that has ended, and sends a reader away who knows', async () => {
    await worker.claim();
    await append(0, 4);
    await worker.report('fail', id, { error: 'x' }, 1);
    const whole = follow(api.url, '?logs=true');
    await whole.done;
    expect(linesOf(whole.seen)).to.deep.equal(upTo(4));
    const bare = follow();
    await bare.done;
    expect(bare.seen.map(({ id: place, event }) => [place, event])).to.deep.equal([['0-end', 'status']]);
    const errors = follow(api.url, '?logs=true&level=error');
    await errors.done;
    expect(linesOf(errors.seen)).to.deep.equal([2, 4]);
    const after = follow(api.url, '', { 'last-event-id': whole.seen.at(-1)?.id ?? '' });
    expect((await after.response).statusCode).to.equal(204);
  });

  it('goes on after the last line that was read, while lines are appended', async () => {
    await worker.claim();
    const appending = (async () => {
      for (let n = 0; n < 400; n += 10) await append(n, n + 10);
      await worker.report('complete', id, {}, 1);
    })();
    const lines: number[] = [];
    let place = '';
    for (let readers = 0; !place.endsWith('-end'); readers++) {
      const stream = follow(api.url, '?logs=true', place === '' ? {} : { 'last-event-id': place });
      // Each reader leaves in the middle, wherever that is.
      await stream.next((event) => event.id.endsWith('-end') || (event.event === 'log' && event.data.id >= lines.length + 37));
      await stream.leave();
      lines.push(...linesOf(stream.seen));
      place = stream.seen.at(-1)?.id ?? place;
      expect(readers).to.be.lessThan(400);
    }
    await appending;
    expect(lines).to.deep.equal(upTo(400));
  });

  it('is followed by the client, through a server that ends streams', async () => {
    const short = await api.replica({ EVENT_STREAM_SECONDS: '1' });
    const there = new ApiClient(short.url);
    await worker.claim();
    const seen: TaskEvent[] = [];
    const following = (async () => {
      for await (const event of there.followTask(id, { logs: true })) seen.push(event);
    })();
    for (let n = 0; n < 30; n++) {
      await append(n * 5, n * 5 + 5);
      await eventually(() => Promise.resolve(linesOf(seen).length >= n * 5));
    }
    // A second status shows that the first stream has ended and another began.
    await eventually(() => Promise.resolve(seen.filter(isStatus('running')).length >= 2));
    await append(150, 160);
    await worker.report('complete', id, {}, 1);
    await following;
    await there.close();
    expect(linesOf(seen)).to.deep.equal(upTo(160));
    expect(seen.filter(isStatus('completed'))).to.have.length(1);
  });

  it('hears of changes that another replica made', async () => {
    const stream = follow(strict.url, '?logs=true');
    await stream.next(isStatus('pending'));
    await worker.claim();
    await append(0, 2);
    await stream.next((event) => event.event === 'log' && event.data.id === 2);
    await worker.report('complete', id, {}, 1);
    await stream.done;
    expect(stream.seen.at(-1)).to.deep.include({ id: '2-end' });
  });

  it('waits for a slow reader, and buffers nothing for it', async () => {
    await worker.claim();
    const text = 'x'.repeat(20_000);
    for (let n = 0; n < 800; n += 40) await append(n, n + 40, text);
    const read = async (): Promise<number> => {
      const { body } = await api.call('GET', '/metrics');
      return Number(/^task_executor_event_lines_total (\d+)$/m.exec(body as string)?.[1]);
    };
    // The counter is the server's: streams of other tests have counted in it.
    const counted = await read();
    // What the server has read for the stream: as the sockets take a few megabytes, it is far less than all.
    const sent = async (): Promise<number> => (await read()) - counted;
    const url = new URL(api.url);
    const socket = connect(Number(url.port), url.hostname);
    socket.write(`GET /api/v1/tasks/${id}/events?logs=true HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    socket.pause();
    let before = -1;
    const stalled = await eventually(async () => {
      const now = await sent();
      const same = now > 0 && now === before;
      before = now;
      return same ? now : null;
    });
    expect(stalled).to.be.lessThan(700);
    // Others are served meanwhile.
    const other = follow(api.url, '?logs=true');
    await other.next((event) => event.event === 'log' && event.data.id === 800);
    await other.leave();
    await worker.report('complete', id, {}, 1);
    const chunks: Buffer[] = [];
    socket.on('data', (data) => chunks.push(data));
    socket.resume();
    await eventually(() => Promise.resolve(Buffer.concat(chunks.slice(-3)).includes('id: 800-end')));
    socket.destroy();
    const received = Buffer.concat(chunks).toString('latin1');
    expect([...received.matchAll(/^id: (\d+)\n?event: log/gm)].map(([, line]) => Number(line))).to.deep.equal(upTo(800));
  });

  it('cuts a reader off who has stalled', async () => {
    await worker.claim();
    for (let n = 0; n < 800; n += 40) await append(n, n + 40, 'x'.repeat(20_000));
    const url = new URL(strict.url);
    const socket = connect(Number(url.port), url.hostname);
    socket.write(`GET /api/v1/tasks/${id}/events?logs=true HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    socket.pause();
    const open = async (): Promise<boolean> => (await (await request(`${strict.url}/metrics`)).body.text()).includes('task_executor_event_streams 1');
    await eventually(open);
    await eventually(async () => !(await open()));
    socket.destroy();
  });

  it('stays open while the database is away', async () => {
    await worker.claim();
    const proxy = await startProxy(api.databaseUrl);
    const replica = await api.replica({}, proxy.url);
    const stream = follow(replica.url, '?logs=true');
    await stream.next(isStatus('running'));
    proxy.cut();
    await append(0, 5);
    expect((await request(`${replica.url}/api/v1/tasks/${id}/events`)).statusCode).to.equal(503);
    proxy.mend();
    await stream.next((event) => event.event === 'log' && event.data.id === 5);
    await stream.leave();
    await replica.stop();
    await proxy.stop();
  });

  it('ends when the server stops', async () => {
    const replica = await api.replica();
    const stream = follow(replica.url);
    await stream.next(isStatus('pending'));
    await replica.stop();
    await stream.done;
    expect(stream.seen).to.have.length(1);
  });

  it('is limited in number, and refuses what does not fit', async () => {
    const path = `/api/v1/tasks/${id}/events`;
    const stream = follow(strict.url);
    await stream.next(isStatus('pending'));
    const busy = await request(`${strict.url}${path}`);
    expect([busy.statusCode, (await busy.body.json() as { code: string }).code]).to.deep.equal([429, 'too_many_requests']);
    await stream.leave();
    expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN}/events`)).body.code).to.equal('task_not_found');
    for (const query of ['?logs=1', '?level=info', '?logs=true&level=warn', '?more=1']) expect((await api.call('GET', path + query)).status, query).to.equal(422);
    for (const place of ['abc', '-1', '1-END', '9'.repeat(16)]) expect((await api.call('GET', path, undefined, { 'last-event-id': place })).status, place).to.equal(422);
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    const head = await request(`${api.url}${path}`, { method: 'HEAD' });
    expect(head.statusCode).to.equal(200);
    await head.body.dump();
    const again = follow();
    await again.done;
    expect(again.seen.map(({ event }) => event)).to.deep.equal(['status']);
  });

  describe('waiting for the end', () => {
    it('answers when the task has ended', async () => {
        const there = new ApiClient(strict.url);
      const waits = [client.getTask(id, { waitSeconds: 30 }), there.getTask(id, { waitSeconds: 30 })];
      await worker.claim();
      await worker.report('complete', id, { done: true }, 1);
      for (const task of await Promise.all(waits)) expect(task).to.deep.include({ status: 'completed', result: { done: true } });
      expect((await client.getTask(id, { waitSeconds: 30 })).status).to.equal('completed');
      await there.close();
    });

    it('answers with the task as it is when the time is over, or the server stops', async () => {
        expect((await client.getTask(id, { waitSeconds: 0.05 })).status).to.equal('pending');
      for (const query of ['wait_seconds=31', 'wait_seconds=-1', 'wait_seconds=x']) expect((await api.call('GET', `/api/v1/tasks/${id}?${query}`)).status, query).to.equal(422);
      expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN}?wait_seconds=5`)).status).to.equal(404);
      const replica = await api.replica();
      const there = new ApiClient(replica.url);
      const waiting = there.getTask(id, { waitSeconds: 30 });
      await eventually(async () => ((await (await request(`${replica.url}/metrics`)).body.text()).includes('task_executor_followers 1')));
      await replica.stop();
      expect((await waiting).status).to.equal('pending');
      await there.close();
    });
  });
});
