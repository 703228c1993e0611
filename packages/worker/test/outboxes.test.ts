/** What a worker sends for others: of processes that are gone, also where that shows only while it runs. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ApiClient } from '@task-executor/shared';
import { ScriptedApi } from '../src/conformance/scripted-api.js';
import { courierOf } from '../src/reporting/courier.js';
import { Outboxes } from '../src/reporting/outboxes.js';
import { Spool } from '../src/spool/spool.js';
import { SILENT } from './fixtures/scripted-worker.js';
import { unprivileged } from './fixtures/unprivileged.js';

describe('outboxes', () => {
  let root: string;
  let api: ScriptedApi;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'outboxes-test-'));
    api = new ScriptedApi();
    await api.start();
  });
  afterEach(async () => {
    await api.stop();
    await rm(root, { recursive: true });
  });

  const open = () => Spool.open({ root, apiUrl: api.url, maxBytes: 1024 * 1024, gatherMs: 0, log: SILENT });

  it('send what a process of another PID namespace left, once it has been silent for long enough', async () => {
    const other = await open();
    const identity = { worker_id: 'worker-001-kind', session: 'session-1', task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1 };
    await other.put(identity, null, { kind: 'report', report: { verb: 'complete', body: { ok: true } } });
    await other.close();
    const owner = join(other.folder, 'owner.json');
    await writeFile(owner, JSON.stringify({ ...(JSON.parse(await readFile(owner, 'utf8')) as object), pidNamespace: 'pid:[1]' }));

    const [spool, client] = [await open(), new ApiClient(api.url)];
    const outboxes = new Outboxes({ courier: courierOf(client, 1), spool, log: SILENT, lookMs: 20 });
    await outboxes.takeUp();
    expect(outboxes.waiting()).to.equal(0);
    await utimes(owner, new Date(0), new Date(0));
    const [sent] = await api.untilCalls('complete');
    expect(sent).to.deep.include({ session: 'session-1', taskId: identity.task_id, attempt: 1, body: { ok: true } });
    await outboxes.answered(new AbortController().signal);
    outboxes.end();
    await spool.close();
    await client.close();
    expect(await readdir(join(spool.folder, '..'))).to.be.empty;
  });

  it('remove the artifacts that are stored, also where the program took away its right to', async () => {
    const folder = join(root, 'artifacts');
    const locked = join(folder, 'locked');
    await mkdir(locked, { recursive: true });
    await writeFile(join(locked, 'file'), '');
    await chmod(locked, 0o500);
    const client = new ApiClient(api.url);
    const outboxes = new Outboxes({ courier: courierOf(client, 1), spool: null, log: SILENT });
    const outbox = outboxes.open({ workerId: 'worker-001-kind', session: 'session-1' }, { task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1 });
    await unprivileged([root, folder, locked], () => outbox.report({ verb: 'complete', body: { ok: true } }, folder));
    expect(await readdir(root)).to.be.empty;
    outboxes.end();
    await client.close();
  });
});
