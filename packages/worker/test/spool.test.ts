/** The spool as files: whole or not there, within its bound, and taken over from the dead alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LogLine } from '../src/reporting/log-batch.js';
import { nameOf, type AttemptIdentity } from '../src/spool/parcel.js';
import { Spool } from '../src/spool/spool.js';

const API_URL = 'http://127.0.0.1:1';
const identity = (attempt = 1): AttemptIdentity => ({ worker_id: 'worker-001-kind', session: 'session-1', task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt });
const report = { kind: 'report', report: { verb: 'complete', body: { ok: true } } } as const;
const lines = (...messages: string[]): LogLine[] => messages.map((message) => ({ level: 'info', message, timestamp: '2026-01-01T00:00:00.000Z' }));

describe('spool', () => {
  let root: string;
  let events: string[];
  const spools: Spool[] = [];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'spool-test-'));
    events = [];
  });
  afterEach(async () => {
    for (const spool of spools.splice(0)) await spool.close();
    await rm(root, { recursive: true });
  });

  async function open({ apiUrl = API_URL, maxBytes = 1024 * 1024 } = {}): Promise<Spool> {
    const note = ({ event }: Record<string, unknown>): void => {
      events.push(String(event));
    };
    const spool = await Spool.open({ root, apiUrl, maxBytes, gatherMs: 0, log: { debug: note, info: note, warn: note, error: note } });
    spools.push(spool);
    return spool;
  }

  /** Leaves what a process that has died left: its folder, owned by a pid that is gone. */
  async function die(spool: Spool): Promise<void> {
    await spool.close();
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const path = join(spool.folder, 'owner.json');
    await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), pid: child.pid, started: 'x' }));
  }

  it('keeps, gives back and removes; an empty folder does not outlive its process', async () => {
    const spool = await open();
    await spool.put(identity(), null, report);
    expect(await spool.get(identity(), null)).to.deep.equal({ ...identity(), ...report });
    expect(spool.bytes).to.equal((await readFile(join(spool.folder, nameOf(identity(), null)))).length);
    await spool.remove(identity(), null);
    expect(await spool.get(identity(), null)).to.equal(null);
    expect(spool.bytes).to.equal(0);
    await spool.close();
    expect(await readdir(join(spool.folder, '..'))).to.be.empty;
  });

  it('takes over what a dead process left, in the order in which it is to be sent, without what was half written', async () => {
    const dead = await open();
    await dead.put(identity(), 2, { kind: 'logs', offset: 5, entries: lines('f') });
    await dead.put(identity(), 1, { kind: 'logs', offset: 3, entries: lines('d', 'e') });
    await dead.put(identity(), null, report);
    await dead.put(identity(2), 1, { kind: 'logs', offset: 0, entries: lines('a') });
    await writeFile(join(dead.folder, `${nameOf(identity(3), null)}.part`), '{"worker_id":"wor');
    await die(dead);
    const spool = await open();
    expect(await spool.leftovers()).to.deep.equal([
      { identity: identity(1), offset: 3, sequences: [1, 2], hasReport: true },
      { identity: identity(2), offset: 0, sequences: [1], hasReport: false },
    ]);
    expect(spool.files).to.equal(4);
    expect(await readdir(join(spool.folder, '..'))).to.have.length(1);
  });

  it('writes reports that come together as one file, which goes with the last of them, and gives each back after a crash', async () => {
    const dead = await open();
    await Promise.all([1, 2, 3].map((attempt) => dead.put(identity(attempt), null, report)));
    expect(dead.files).to.equal(1);
    const [file] = (await readdir(dead.folder)).filter((name) => name.startsWith('reports.'));
    expect(dead.bytes).to.equal((await readFile(join(dead.folder, file!))).length);
    await dead.remove(identity(2), null);
    expect(await dead.get(identity(2), null)).to.equal(null);
    await dead.put(identity(3), null, { kind: 'report', report: { verb: 'fail', body: { error: 'refused' } } });
    expect(dead.files).to.equal(2);
    await die(dead);
    const spool = await open();
    // What was answered comes again: the API answers it as before.
    expect((await spool.leftovers()).map((one) => [one.identity.attempt, one.hasReport])).to.deep.equal([[1, true], [2, true], [3, true]]);
    for (const attempt of [1, 2, 3]) {
      expect(await spool.get(identity(attempt), null)).to.deep.include({ ...identity(attempt), kind: 'report' });
      await spool.remove(identity(attempt), null);
    }
    expect([spool.files, spool.bytes]).to.deep.equal([0, 0]);
  });

  it('leaves to a living process what is its own', async () => {
    const living = await open();
    await living.put(identity(), null, report);
    const other = await open();
    expect(await other.leftovers()).to.be.empty;
    expect(await living.get(identity(), null)).to.not.equal(null);
  });

  it('gives nothing of one API to another', async () => {
    const dead = await open();
    await dead.put(identity(), null, report);
    await die(dead);
    expect(await (await open({ apiUrl: 'http://127.0.0.1:2' })).leftovers()).to.be.empty;
    expect(await (await open({ apiUrl: `${API_URL}/` })).leftovers()).to.have.length(1);
  });

  it('sets aside what cannot be read, and keeps it', async () => {
    const dead = await open();
    await dead.put(identity(), null, report);
    await writeFile(join(dead.folder, nameOf(identity(2), null)), '{"worker_id": "worker-001-kind", "sess');
    await die(dead);
    const spool = await open();
    expect((await spool.leftovers()).map((one) => one.identity.attempt)).to.deep.equal([1]);
    expect(events).to.deep.equal(['spool_unreadable']);
    expect(await readdir(join(spool.folder, '..', 'unreadable'))).to.deep.equal([nameOf(identity(2), null)]);
  });

  it('reads of what is left of an attempt only the first, until the rest is asked for', async () => {
    const dead = await open();
    for (const sequence of [1, 2, 3]) await dead.put(identity(), sequence, { kind: 'logs', offset: sequence, entries: lines('a') });
    await dead.put(identity(), null, report);
    await writeFile(join(dead.folder, nameOf(identity(), 1)), '{"worker_id": "worker-001-kind", "sess');
    await writeFile(join(dead.folder, nameOf(identity(), 3)), '{"worker_id": "worker-001-kind", "sess');
    await die(dead);
    const spool = await open();
    expect(await spool.leftovers()).to.deep.equal([{ identity: identity(), offset: 2, sequences: [2, 3], hasReport: true }]);
    expect(await readdir(join(spool.folder, '..', 'unreadable'))).to.deep.equal([nameOf(identity(), 1)]);
    expect(await spool.get(identity(), 3)).to.equal(null);
    expect(await readdir(join(spool.folder, '..', 'unreadable'))).to.deep.equal([nameOf(identity(), 1), nameOf(identity(), 3)]);
    expect(await spool.get(identity(), null)).to.deep.equal({ ...identity(), ...report });
  });

  it('leaves where it is, and goes on, what can neither be read nor be set aside', async () => {
    const dead = await open();
    await dead.put(identity(2), null, report);
    await writeFile(join(dead.folder, nameOf(identity(), null)), '{"worker_id": "worker-001-kind", "sess');
    await die(dead);
    await writeFile(join(dead.folder, '..', 'unreadable'), '');
    const spool = await open();
    expect((await spool.leftovers()).map((one) => one.identity.attempt)).to.deep.equal([2]);
    expect(events).to.deep.equal(['spool_unreadable', 'spool_unreadable']);
    await spool.remove(identity(2), null);
    await spool.close();
    expect(await readdir(spool.folder)).to.include(nameOf(identity(), null));
  });

  it('says that a file cannot be removed, counts it, and is fit when it could be', async () => {
    const spool = await open();
    await spool.put(identity(), null, report);
    const { bytes } = spool;
    const path = join(spool.folder, nameOf(identity(), null));
    await rm(path);
    await mkdir(join(path, 'file'), { recursive: true });
    await spool.remove(identity(), null);
    expect(events).to.deep.equal(['spool_not_removed']);
    expect([spool.files, spool.bytes, await spool.get(identity(), null)]).to.deep.equal([1, bytes, null]);
    expect(await spool.check()).to.contain(path);
    await rm(path, { recursive: true });
    expect(await spool.check()).to.equal(null);
    expect([spool.files, spool.bytes]).to.deep.equal([0, 0]);
  });

  it('takes no more than its bound, and keeps room for reports', async () => {
    const spool = await open({ maxBytes: 10_000 });
    const entries = lines('x'.repeat(2_000));
    let batches = 0;
    let refusal = '';
    while (refusal === '') {
      batches += 1;
      await spool.put(identity(), batches, { kind: 'logs', offset: 0, entries }).catch((error: unknown) => (refusal = String(error)));
    }
    expect(refusal).to.match(/the spool is full/);
    expect(spool.bytes).to.be.within(5_000, 7_500);
    await spool.put(identity(), null, report);
    await spool.remove(identity(), 1);
    await spool.put(identity(), 1, { kind: 'logs', offset: 0, entries });
  });

  it('says why it cannot be written, until it can', async () => {
    const spool = await open();
    await rename(spool.folder, `${spool.folder}.away`);
    await writeFile(spool.folder, '');
    expect(await spool.put(identity(), null, report).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOTDIR');
    expect(await spool.check()).to.match(/the spool cannot be written: .*ENOTDIR/);
    await rm(spool.folder);
    await rename(`${spool.folder}.away`, spool.folder);
    expect(await spool.check()).to.equal(null);
    await spool.put(identity(), null, report);
  });

  it('makes its folder anew where somebody has removed it, as its own', async () => {
    const spool = await open();
    await spool.put(identity(1), null, report);
    await rm(spool.folder, { recursive: true });
    expect(await spool.put(identity(2), null, report).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOENT');
    expect(await spool.check()).to.equal(null);
    expect(events).to.deep.equal(['spool_gone']);
    expect([spool.files, spool.bytes, await spool.get(identity(1), null)]).to.deep.equal([0, 0, null]);
    await spool.put(identity(3), null, report);
    expect(await (await open()).leftovers()).to.be.empty;
    expect(await readdir(spool.folder)).to.have.members(['owner.json', nameOf(identity(3), null)]);
  });
});
