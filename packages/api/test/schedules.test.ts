/** Schedules: what they accept, when they fire, and that each fire makes one task, whatever number of replicas sweep. */
import { expect } from 'chai';
import fc from 'fast-check';
import { sql } from 'kysely';
import { decideFire, nextRuns, type ScheduleRow } from '../src/queue/schedule.js';
import { Presence } from '../src/waiting/presence.js';
import { eventually, readTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { NO_SWEEPS, testSweeper } from './support/sweeper.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const iso = (dates: Date[]): string[] => dates.map((date) => date.toISOString());

describe('the times of a schedule', () => {
  const after = (cron: string, timezone: string, from: string, count: number): string[] => iso(nextRuns({ cron, timezone }, new Date(from), count));

  it('follow the time zone through the year', () => {
    expect(after('0 12 * * *', 'America/New_York', '2026-03-07T00:00:00Z', 3)).to.deep.equal(['2026-03-07T17:00:00.000Z', '2026-03-08T16:00:00.000Z', '2026-03-09T16:00:00.000Z']);
    expect(after('*/15 * * * * *', 'UTC', '2026-01-01T00:00:00Z', 2)).to.deep.equal(['2026-01-01T00:00:15.000Z', '2026-01-01T00:00:30.000Z']);
  });

  it('fire once a day also where the hour is skipped or repeated', () => {
    const spring = after('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', 4);
    expect(spring).to.deep.equal(['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z', '2026-03-31T00:30:00.000Z']);
    const autumn = after('30 2 * * *', 'Europe/Berlin', '2026-10-23T12:00:00Z', 4);
    expect(autumn).to.deep.equal(['2026-10-24T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z', '2026-10-27T01:30:00.000Z']);
  });

  it('keep their distance through the repeated hour where they recur within the day', () => {
    const hourly = after('0 * * * *', 'Europe/Berlin', '2026-10-24T22:30:00Z', 5).map((time) => Date.parse(time));
    expect(hourly.slice(1).map((time, n) => time - (hourly[n] ?? 0))).to.deep.equal([3_600_000, 3_600_000, 3_600_000, 3_600_000]);
  });

  const row: ScheduleRow = {
    id: UNKNOWN, name: null, cron: '*/10 * * * *', timezone: 'UTC', task: {}, overlap: 'skip', misfire: 'run_once', paused: false,
    next_at: new Date('2026-01-01T12:00:00Z'), last_at: null, last_task_id: null, fires: 0, skips: 0, created_at: new Date(0), updated_at: new Date(0),
  };
  const decide = (changes: Partial<ScheduleRow>, now: string, overlaps = false, presentSeconds = 0): [boolean, string | undefined] => {
    const { submits, next } = decideFire({ ...row, ...changes }, new Date(now), overlaps, presentSeconds);
    return [submits, next?.toISOString()];
  };
  it('leave none out that is a little late, and make one of those that were missed', () => {
    expect(decide({}, '2026-01-01T12:00:00.020Z')).to.deep.equal([true, '2026-01-01T12:10:00.000Z']);
    expect(decide({ misfire: 'skip' }, '2026-01-01T12:00:59Z')).to.deep.equal([true, '2026-01-01T12:10:00.000Z']);
    expect(decide({ cron: '* * * * * *' }, '2026-01-01T12:00:05Z')).to.deep.equal([true, '2026-01-01T12:00:01.000Z']);
    expect(decide({}, '2026-01-01T15:03:00Z')).to.deep.equal([true, '2026-01-01T15:10:00.000Z']);
    expect(decide({ misfire: 'skip' }, '2026-01-01T15:03:00Z')).to.deep.equal([false, '2026-01-01T15:10:00.000Z']);
  });
  it('leave out what was missed, and not what is on time after it', () => {
    const twoMinutes = { cron: '*/2 * * * *', misfire: 'skip' as const };
    expect(decide(twoMinutes, '2026-01-01T12:02:16Z')).to.deep.equal([false, '2026-01-01T12:02:00.000Z']);
    expect(decide({ ...twoMinutes, next_at: new Date('2026-01-01T12:02:00Z') }, '2026-01-01T12:02:16Z')).to.deep.equal([true, '2026-01-01T12:04:00.000Z']);
    expect(decide(twoMinutes, '2026-01-01T12:03:00Z')).to.deep.equal([false, '2026-01-01T12:02:00.000Z']);
    expect(decide(twoMinutes, '2026-01-01T12:03:00.001Z')).to.deep.equal([false, '2026-01-01T12:04:00.000Z']);
    expect(decide({ ...twoMinutes, misfire: 'run_once' }, '2026-01-01T12:02:16Z')).to.deep.equal([true, '2026-01-01T12:04:00.000Z']);
  });

  const crons = fc.constantFrom('* * * * *', '*/2 * * * *', '0 * * * *', '*/20 * * * * *', '7 */3 * * * *');
  const lateMs = fc.oneof(fc.nat(900).map((seconds) => seconds * 1000), fc.nat(900_000));
  it('fire after any outage what is late by a minute at most, and of what was missed one or none', () => {
    fc.assert(fc.property(crons, lateMs, fc.constantFrom('run_once' as const, 'skip' as const), (cron, late, misfire) => {
      const [due] = nextRuns({ cron, timezone: 'UTC' }, new Date('2026-01-01T12:00:00Z'), 1);
      const now = new Date((due?.getTime() ?? 0) + late);
      const fired: string[] = [];
      let next = due ?? null;
      while (next !== null && next <= now) {
        const decided = decideFire({ ...row, cron, misfire, next_at: next }, now, false, 0);
        if (decided.submits) fired.push(next.toISOString());
        expect(decided.next).to.be.greaterThan(next);
        next = decided.next;
      }
      const all = iso(nextRuns({ cron, timezone: 'UTC' }, new Date('2026-01-01T12:00:00Z'), 60)).filter((time) => Date.parse(time) <= now.getTime());
      const onTime = all.filter((time) => now.getTime() - Date.parse(time) <= 60_000);
      expect(fired).to.deep.equal(misfire === 'run_once' && onTime.length < all.length ? all.slice(0, 1) : onTime);
      expect(next?.toISOString()).to.equal(nextRuns({ cron, timezone: 'UTC' }, now, 1)[0]?.toISOString());
    }));
  });

  it('miss nothing that waits in a backlog while the service is there, where one stands for those that should have come since', () => {
    const skip = { cron: '* * * * *', misfire: 'skip' as const };
    const after = '2026-01-01T12:03:20Z';
    expect(decide(skip, after, false, 139)).to.deep.equal([false, '2026-01-01T12:01:00.000Z']);
    expect(decide(skip, after, false, 140)).to.deep.equal([true, '2026-01-01T12:03:00.000Z']);
    expect(decide({ ...skip, misfire: 'run_once' }, after, false, 139)).to.deep.equal([true, '2026-01-01T12:04:00.000Z']);
    expect(decide({ ...skip, misfire: 'run_once' }, after, false, 140)).to.deep.equal([true, '2026-01-01T12:03:00.000Z']);
    expect(decide({ misfire: 'skip' }, '2026-01-01T12:03:20Z', false, 3600)).to.deep.equal([true, '2026-01-01T12:10:00.000Z']);
  });

  it('skip what overlaps, where they are to', () => {
    expect(decide({}, '2026-01-01T12:00:00Z', true)).to.deep.equal([false, '2026-01-01T12:10:00.000Z']);
    expect(decide({ overlap: 'allow' }, '2026-01-01T12:00:00Z', true)).to.deep.equal([true, '2026-01-01T12:10:00.000Z']);
    expect(decide({ overlap: 'allow', misfire: 'skip' }, '2026-01-01T15:03:00Z', true)[0]).to.equal(false);
  });
});

describe('schedules', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    for (let n = 0; n < 2; n++) await api.replica({ SWEEP_INTERVAL_MS: '50' });
  });
  after(() => api.stop());

  const create = (more: Record<string, unknown> = {}): Promise<Answer> =>
    api.call('POST', '/api/v1/schedules', { cron: '0 0 1 1 *', task: { problem_id: 'scheduled' }, ...more });
  const read = async (id: string): Promise<Answer['body']> => (await api.call('GET', `/api/v1/schedules/${id}`)).body;
  const change = (id: string, body: unknown): Promise<Answer> => api.call('PATCH', `/api/v1/schedules/${id}`, body);
  const tasksOf = async (id: string): Promise<{ id: string }[]> => (await api.call('GET', `/api/v1/tasks?schedule_id=${id}&page_size=100&sort=created_at`)).body.tasks as { id: string }[];
  /** Makes the schedule due, `late` seconds ago, and waits until somebody has seen to it. */
  async function makeDue(id: string, late = 0): Promise<Answer['body']> {
    const { fires, skips } = await read(id);
    await sql`update schedules set next_at = date_trunc('second', now()) - make_interval(secs => ${late}::float8) where id = ${id}::uuid`.execute(api.db);
    return eventually(async () => {
      const now = await read(id);
      return Number(now.fires) + Number(now.skips) > Number(fires) + Number(skips) && now;
    });
  }

  it('shows a schedule with its next runs', async () => {
    const task = { problem_id: 'scheduled', parameters: { a: 1 }, labels: { from: 'schedule' }, priority: 8, retry: { max_attempts: 2 }, name: 'nightly run', max_lost: 2 };
    const created = await create({ name: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin', task });
    expect(created.status).to.equal(201);
    expect(created.headers.location).to.equal(`/api/v1/schedules/${created.body.id}`);
    expect(created.body).to.deep.include({
      name: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin', overlap: 'skip', misfire: 'run_once', paused: false, last_run_at: null, last_task_id: null, fires: 0, skips: 0,
    });
    expect(created.body.task).to.deep.include({ problem_id: 'scheduled', labels: { from: 'schedule' }, priority: 8 });
    expect(created.body.next_runs).to.deep.equal(iso(nextRuns(created.body as ScheduleRow, new Date(created.body.created_at as string), 5)));
    expect(await read(created.body.id as string)).to.deep.equal(created.body);
    await api.call('DELETE', `/api/v1/schedules/${created.body.id}`);
  });

  it('refuses what says nothing, and says where', async () => {
    for (const [more, path] of [
      [{ cron: 'every day' }, '/body/cron'], [{ cron: '61 * * * *' }, '/body/cron'], [{ cron: '* * * *' }, '/body/cron'], [{ cron: '@daily' }, '/body/cron'],
      [{ cron: '0 0 30 2 *' }, '/body/cron'], [{ cron: '2027-01-01T00:00:00' }, '/body/cron'], [{ cron: '* * * * * * 2030' }, '/body/cron'],
      [{ timezone: 'Mars/Olympus' }, '/body/timezone'], [{ timezone: '' }, '/body/timezone'], [{ name: 'ä'.repeat(200) }, '/body/name'],
      [{ overlap: 'queue' }, '/body/overlap'], [{ task: {} }, '/body/task/problem_id'], [{ task: { problem_id: 'a', run_at: '2030-01-01T00:00:00Z' } }, '/body/task/run_at'],
      [{ task: { problem_id: 'a', name: 'ä'.repeat(200) } }, '/body/task/name'],
    ] as const) {
      const answer = await create(more);
      expect(answer.status, JSON.stringify(more)).to.equal(422);
      expect(answer.body.errors[0].path, JSON.stringify(more)).to.equal(path);
    }
    const { body } = await create();
    for (const [more, path] of [[{ cron: 'x' }, '/body/cron'], [{ timezone: 'Nowhere' }, '/body/timezone'], [{ name: 'ä'.repeat(200) }, '/body/name']] as const) {
      expect((await change(body.id as string, more)).body.errors[0].path).to.equal(path);
    }
    expect((await change(body.id as string, {})).status).to.equal(422);
    await api.call('DELETE', `/api/v1/schedules/${body.id}`);
  });

  it('makes exactly one task of each fire, with three replicas sweeping', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, async () => (await create({ overlap: 'allow' })).body.id as string));
    for (let round = 1; round <= 3; round++) {
      await sql`update schedules set next_at = date_trunc('second', now()) where id = any (${ids}::uuid[])`.execute(api.db);
      for (const id of ids) await eventually(async () => (await read(id)).fires === round);
    }
    for (const id of ids) {
      const tasks = await tasksOf(id);
      expect(tasks).to.have.length(3);
      expect(await read(id)).to.include({ fires: 3, skips: 0, last_task_id: tasks[2]?.id });
      await api.call('DELETE', `/api/v1/schedules/${id}`);
    }
  });

  it('submits what the template says, and notes when it was due', async () => {
    const { body } = await create({ task: { problem_id: 'template', parameters: { a: [1] }, labels: { x: 'y' }, priority: 9, timeout_seconds: 5, backend_type: 'gpu', name: 'n' } });
    await sql`update schedules set next_at = '2026-01-01T00:00:00Z' where id = ${body.id}::uuid`.execute(api.db);
    const fired = await eventually(async () => {
      const now = await read(body.id as string);
      return now.fires === 1 && now;
    });
    expect(fired.last_run_at).to.equal('2026-01-01T00:00:00.000Z');
    expect(Date.parse(fired.next_runs[0] as string)).to.be.greaterThan(Date.now() - 86_400_000);
    expect(await readTask(api, fired.last_task_id as string)).to.deep.include({
      problem_id: 'template', parameters: { a: [1] }, labels: { x: 'y' }, priority: 9, timeout_seconds: 5, backend_type: 'gpu', name: 'n', schedule_id: body.id, status: 'pending',
    });
    await api.call('DELETE', `/api/v1/schedules/${body.id}`);
  });

  it('skips a fire while the last task has not ended, unless it may overlap', async () => {
    const worker = await TestWorker.register(api, { globs: ['overlap'] });
    const { body } = await create({ task: { problem_id: 'overlap' } });
    const id = body.id as string;
    const first = await makeDue(id);
    expect(first).to.include({ fires: 1, skips: 0 });
    expect(await makeDue(id)).to.include({ fires: 1, skips: 1, last_task_id: first.last_task_id });
    await worker.claim();
    expect(await makeDue(id)).to.include({ fires: 1, skips: 2 });
    await worker.report('complete', first.last_task_id as string, {});
    const second = await makeDue(id);
    expect(second).to.include({ fires: 2, skips: 2 });
    expect(second.last_task_id).to.not.equal(first.last_task_id);
    await change(id, { overlap: 'allow' });
    expect(await makeDue(id)).to.include({ fires: 3, skips: 2 });
    await api.call('DELETE', `/api/v1/schedules/${id}`);
    expect(await tasksOf(id)).to.have.length(3);
    await worker.leave();
  });

  it('makes up for an outage with one fire, or with none', async () => {
    const { body: once } = await create({ overlap: 'allow' });
    const { body: never } = await create({ overlap: 'allow', misfire: 'skip' });
    expect(await makeDue(once.id as string, 6 * 3600)).to.include({ fires: 1, skips: 0 });
    expect(await makeDue(never.id as string, 6 * 3600)).to.include({ fires: 0, skips: 1 });
    for (const { id } of [once, never]) {
      expect((await read(id as string)).next_runs).to.have.length(5);
      await api.call('DELETE', `/api/v1/schedules/${id}`);
    }
  });

  it('is not skipped for what it waits while the service is there', async () => {
    const quiet = await startTestApi({}, NO_SWEEPS);
    try {
      let now = 0;
      const presence = new Presence({ maxGapMs: 60_000, now: () => now });
      presence.answered();
      now += 50_000;
      const sweep = testSweeper(quiet.db, quiet.databaseUrl, presence);
      const { body: { id } } = await quiet.call('POST', '/api/v1/schedules', { cron: '0 0 1 1 *', task: { problem_id: 'scheduled' }, overlap: 'allow', misfire: 'skip' });
      for (const [late, fires, skips] of [[90, 1, 0], [600, 1, 1]]) {
        await sql`update schedules set next_at = date_trunc('second', now()) - make_interval(secs => ${late}::float8)`.execute(quiet.db);
        await sweep();
        expect((await quiet.call('GET', `/api/v1/schedules/${String(id)}`)).body).to.include({ fires, skips });
      }
    } finally {
      await quiet.stop();
    }
  });

  it('does not fire while it is paused, and makes up for nothing', async () => {
    const { body } = await create({ paused: true, cron: '* * * * * *' });
    const id = body.id as string;
    expect(body.next_runs).to.deep.equal([]);
    await sql`update schedules set next_at = now() - interval '1 day' where id = ${id}::uuid`.execute(api.db);
    const other = (await create()).body.id as string;
    await makeDue(other);
    expect(await read(id)).to.include({ fires: 0, skips: 0, paused: true });
    const resumed = await change(id, { paused: false, cron: '0 0 1 1 *' });
    expect(resumed.body).to.include({ paused: false });
    expect(resumed.body.next_runs).to.have.length(5);
    expect(Date.parse(resumed.body.next_runs[0] as string)).to.be.greaterThan(Date.parse(resumed.body.updated_at as string));
    await makeDue(other);
    expect(await read(id)).to.include({ fires: 0, skips: 0 });
    for (const one of [id, other]) await api.call('DELETE', `/api/v1/schedules/${one}`);
  });

  it('changes what it is asked to and nothing else', async () => {
    const { body } = await create({ name: 'before' });
    const id = body.id as string;
    const renamed = await change(id, { name: null, task: { problem_id: 'changed' } });
    expect(renamed.body).to.deep.include({ name: null, cron: body.cron, next_runs: body.next_runs });
    expect(renamed.body.task).to.deep.include({ problem_id: 'changed' });
    expect((await change(id, { timezone: 'Asia/Tokyo' })).body.next_runs[0]).to.not.equal(body.next_runs[0]);
    const answers = await Promise.all([change(id, { name: 'a' }), change(id, { overlap: 'allow' }), change(id, { misfire: 'skip' }), change(id, { cron: '5 5 5 5 *' })]);
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect(await read(id)).to.deep.include({ name: 'a', overlap: 'allow', misfire: 'skip', cron: '5 5 5 5 *', timezone: 'Asia/Tokyo' });
    await api.call('DELETE', `/api/v1/schedules/${id}`);
  });

  it('ends, and fires no more', async () => {
    const { body } = await create();
    const path = `/api/v1/schedules/${body.id}`;
    expect((await api.call('DELETE', path)).status).to.equal(204);
    for (const answer of [await api.call('DELETE', path), await api.call('GET', path), await api.call('PATCH', path, { paused: true })]) {
      expect(answer.body.code).to.equal('schedule_not_found');
    }
    expect((await api.call('GET', `/api/v1/schedules/${UNKNOWN}`)).status).to.equal(404);
    expect((await api.call('GET', '/api/v1/schedules/nonsense')).status).to.equal(422);
  });

  it('lists by pages', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, async () => (await create()).body.id as string));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await api.call('GET', `/api/v1/schedules?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(body.schedules as { id: string }[]).map(({ id }) => id));
      cursor = body.next_cursor as string | null;
    }
    expect(seen).to.deep.equal([...ids].sort());
    expect((await api.call('GET', '/api/v1/schedules?cursor=abc')).status).to.equal(422);
    for (const id of ids) await api.call('DELETE', `/api/v1/schedules/${id}`);
  });
});
