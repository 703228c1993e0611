import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ApiClient, ApiUnreachable } from '@task-executor/shared';
import { expect } from 'chai';
import { pino } from 'pino';
import { request } from 'undici';
import type { RunningServer } from '../src/server.js';
import { eventually, submitTask, TestWorker, workerWithTask } from './support/actors.js';
import { checkAnswer, startTestApi, type Answer, type TestApi } from './support/api.js';
import { startBucket, startFolder, type TestStorage } from './support/storage.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const MIB = 1024 * 1024;
const KEPT = 'private, max-age=31536000, immutable';
/** What an error does not say of itself. */
const OF_THE_FILE = ['etag', 'content-disposition', 'repr-digest', 'accept-ranges'];
const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();

for (const [kind, startStorage] of [['a folder', startFolder], ['a bucket', startBucket]] as const) {
  describe(`artifacts in ${kind}`, () => {
    let storage: TestStorage;
    let api: TestApi;
    /** Another server on the same storage, with narrow bounds. */
    let strict: RunningServer;
    let url: string;
    let worker: TestWorker;
    let id: string;
    let keptBefore: number;
    const events: string[] = [];
    const storageEvents = (): number => events.filter((event) => event === 'storage_unavailable').length;

    before(async () => {
      storage = await startStorage();
      api = await startTestApi({ ...storage.environment, LEASE_SECONDS: '600' }, {}, pino({ level: 'warn' }, {
        write: (line: string) => events.push((JSON.parse(line) as { event: string }).event),
      }));
      strict = await api.replica({ MAX_ARTIFACT_MB: '1', MAX_ATTEMPT_ARTIFACTS: '3', MAX_ATTEMPT_ARTIFACT_MB: '1', STALL_SECONDS: '1' });
    });
    after(async () => {
      await api.stop();
      await storage.stop();
    });
    // Each test has a worker of its own, which runs a task of its own.
    beforeEach(async () => {
      url = api.url;
      ({ worker, id } = await workerWithTask(api, { retry: { max_attempts: 3, initial_seconds: 0 } }));
      expect((await worker.claim()).body.id).to.equal(id);
      keptBefore = await storage.kept();
    });

    const pathOf = (query: string, { taskId = id, by = worker }: { taskId?: string; by?: TestWorker } = {}): string =>
      `/api/v1/workers/${by.id}/tasks/${taskId}/artifacts?${query}`;
    async function send(path: string, body: Buffer | string | Readable, headers: Record<string, string> = {}): Promise<Answer> {
      const response = await request(`${url}${path}`, {
        method: 'PUT', body, headers: { 'content-type': 'application/octet-stream', 'worker-session': worker.session, 'task-attempt': '1', ...headers },
      });
      const answer: Answer = { status: response.statusCode, headers: response.headers, body: await response.body.json() };
      checkAnswer('PUT', path, answer);
      return answer;
    }
    const put = (name: string, body: Buffer | string, headers: Record<string, string> = {}) => send(pathOf(new URLSearchParams({ name }).toString()), body, headers);
    const list = async (query = ''): Promise<{ name: string; id: string }[]> => (await api.call('GET', `/api/v1/tasks/${id}/artifacts${query}`)).body.artifacts as { name: string; id: string }[];
    async function download(artifact: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
      const response = await request(`${url}/api/v1/tasks/${id}/artifacts/${artifact}`, { method, headers });
      return { status: response.statusCode, headers: response.headers, bytes: await buffer(response.body) };
    }
    const nothingLeft = async (kept = 0): Promise<void> => {
      await eventually(async () => (await storage.leftovers()) === 0 && (await storage.kept()) === keptBefore + kept);
      expect(await list()).to.have.length(kept);
    };

    it('are stored, listed and downloaded as they were sent', async () => {
      const bytes = randomBytes(3 * MIB + 17);
      const stored = await send(pathOf('name=plots/loss%20%C3%BC.png&content_type=image/png'), bytes);
      expect(stored.status).to.equal(201);
      expect(stored.body).to.deep.include({ task_id: id, attempt: 1, name: 'plots/loss ü.png', bytes: bytes.length, sha256: sha256(bytes).toString('hex'), content_type: 'image/png' });
      expect(stored.headers.location).to.equal(`/api/v1/tasks/${id}/artifacts/${stored.body.id as string}`);
      expect(await list()).to.deep.equal([stored.body]);
      const found = await download(stored.body.id as string);
      expect(found.status).to.equal(200);
      expect(found.bytes.equals(bytes)).to.equal(true);
      expect(found.headers).to.include({
        'content-type': 'image/png', 'content-length': String(bytes.length), etag: `"${sha256(bytes).toString('hex')}"`, 'accept-ranges': 'bytes', 'cache-control': KEPT,
        'repr-digest': `sha-256=:${sha256(bytes).toString('base64')}:`, 'x-content-type-options': 'nosniff',
        'content-disposition': `attachment; filename="loss _.png"; filename*=UTF-8''loss%20%C3%BC.png`, 'content-security-policy': "default-src 'none'; sandbox",
      });
      await nothingLeft(1);
    });

    it('are listed in pages and by attempt', async () => {
      for (const name of ['a', 'b', 'c']) expect((await put(name, name)).body.content_type).to.equal('application/octet-stream');
      await worker.report('fail', id, { error: 'x' }, 1);
      await worker.claim();
      expect((await put('a', 'again', { 'task-attempt': '2' })).body.attempt).to.equal(2);
      const page = await api.call('GET', `/api/v1/tasks/${id}/artifacts?limit=2`);
      expect(page.body.artifacts.map(({ name }: { name: string }) => name)).to.deep.equal(['a', 'b']);
      const rest = await api.call('GET', `/api/v1/tasks/${id}/artifacts?limit=2&cursor=${page.body.next_cursor}`);
      expect(rest.body.artifacts.map(({ name }: { name: string }) => name)).to.deep.equal(['c', 'a']);
      expect(rest.body.next_cursor).to.equal(null);
      expect(await list('?attempt=2')).to.have.length(1);
      expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN}/artifacts`)).body.code).to.equal('task_not_found');
      for (const query of ['limit=0', 'limit=101', 'cursor=abc', 'attempt=0']) expect((await api.call('GET', `/api/v1/tasks/${id}/artifacts?${query}`)).status, query).to.equal(422);
      expect((await api.call('GET', `/api/v1/tasks/${id}/artifacts/${UNKNOWN}`)).body.code).to.equal('artifact_not_found');
      const other = await submitTask(api, { problem_id: 'none' });
      expect((await api.call('GET', `/api/v1/tasks/${other}/artifacts/${page.body.artifacts[0].id as string}`)).body.code).to.equal('artifact_not_found');
    });

    it('are answered like the first time when they are sent again', async () => {
      const first = await put('report', 'one');
      expect((await put('report', 'one')).body).to.deep.equal(first.body);
      expect((await put('report', 'two')).body.code).to.equal('artifact_exists');
      expect((await put('report', 'longer')).body.code).to.equal('artifact_exists');
      expect((await put('report', 'one', { 'content-digest': `sha-256=:${sha256('two').toString('base64')}:` })).body.code).to.equal('digest_mismatch');
      await worker.report('complete', id, {}, 1);
      const again = await put('report', 'one');
      expect([again.status, again.body]).to.deep.equal([201, first.body]);
      expect((await put('report', 'two')).body.code).to.equal('artifact_exists');
      expect((await put('other', 'one')).body.code).to.equal('attempt_not_held');
      await nothingLeft(1);
    });

    it('are taken from the attempt that holds the task alone', async () => {
      await put('report', 'one');
      const other = await TestWorker.register(api, { globs: ['none'] });
      const asOther = (name: string) => send(pathOf(`name=${name}`, { by: other }), 'one', { 'worker-session': other.session });
      expect((await asOther('new')).body).to.include({ code: 'attempt_not_held', task_status: 'running', current_attempt: 1 });
      expect((await asOther('report')).body.code).to.equal('attempt_not_held');
      expect((await put('new', 'one', { 'task-attempt': '2' })).body.code).to.equal('attempt_not_held');
      expect((await send(pathOf('name=new', { taskId: UNKNOWN }), 'one')).body.code).to.equal('task_not_found');
      await TestWorker.register(api, { id: worker.id });
      expect((await put('new', 'one')).body.code).to.equal('session_superseded');
      await nothingLeft(1);
    });

    it('are forgotten where the attempt ends under the upload', async () => {
      const content = new Readable({ read: () => undefined });
      const sending = send(pathOf('name=late'), content, { 'content-length': '10' });
      content.push('01234');
      await eventually(async () => ((await api.call('GET', '/metrics')).body as string).includes('task_executor_uploads 1'));
      await api.call('POST', `/api/v1/tasks/${id}/cancel`);
      content.push('56789');
      content.push(null);
      expect((await sending).body).to.include({ code: 'attempt_not_held', task_status: 'cancelled' });
      await nothingLeft();
    });

    it('have names that are never paths', async () => {
      const refused = [
        '', '.', '..', '../x', 'a/../b', '/etc/passwd', 'a//b', 'a/', 'a/.', 'a/..', '..\\x', 'a\nb', 'a\u0000b', 'a\u007f', 'x'.repeat(256), 'x'.repeat(1000),
      ];
      for (const name of refused) expect((await put(name, 'x')).status, JSON.stringify(name).slice(0, 40)).to.equal(422);
      expect((await send(pathOf(''), 'x')).status).to.equal(422);
      expect((await send(pathOf('name=a&name=b'), 'x')).status).to.equal(422);
      const taken = ['...', '.hidden', 'a b', '%2e%2e%2fx', 'C:x', 'ü/😀.txt', '"quoted"', "';--", '<script>', 'x'.repeat(255), '😀'.repeat(255), 'a\u202etxt.exe', 'con', 'tmp'];
      for (const name of taken) {
        const answer = await put(name, name);
        expect([answer.status, answer.body.name], name).to.deep.equal([201, name]);
        const found = await download(answer.body.id as string);
        expect(found.bytes.toString(), name).to.equal(name);
        expect(found.headers['content-disposition'], name).to.match(/^attachment; filename="[^"\\%]*"(; filename\*=UTF-8''[\w.%!~-]+)?$/);
      }
      await nothingLeft(taken.length);
    });

    it('are refused where the request is not right', async () => {
      url = strict.url;
      const refused: [string, number, string, Promise<Answer>][] = [
        ['no length', 411, 'length_required', send(pathOf('name=a'), Readable.from(['x']))],
        ['too large', 413, 'body_too_large', put('a', Buffer.alloc(MIB + 1))],
        ['json', 415, 'unsupported_media_type', put('a', '{}', { 'content-type': 'application/json' })],
        ['compressed', 415, 'unsupported_media_type', put('a', 'x', { 'content-encoding': 'gzip' })],
        ['another digest', 422, 'digest_mismatch', put('a', 'x', { 'content-digest': `sha-256=:${sha256('y').toString('base64')}:` })],
        ['no digest', 422, 'validation_failed', put('a', 'x', { 'content-digest': 'md5=:x:' })],
        ['a type', 422, 'validation_failed', send(pathOf('name=a&content_type=text'), 'x')],
        ['a parameter', 422, 'validation_failed', send(pathOf('name=a&more=1'), 'x')],
      ];
      for (const [what, status, code, sending] of refused) {
        const answer = await sending;
        expect([answer.status, answer.body.code], what).to.deep.equal([status, code]);
      }
      await nothingLeft();
      const right = await put('a', Buffer.alloc(MIB), { 'content-digest': `sha-256=:${sha256(Buffer.alloc(MIB)).toString('base64')}:`, 'content-type': 'Application/Octet-Stream; x=1' });
      expect(right.status).to.equal(201);
    });

    it('are limited in number and bytes, however many come at once', async () => {
      url = strict.url;
      const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => put(name, name)));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 201, 201, 409, 409]);
      expect(answers.find(({ status }) => status === 409)?.body.code).to.equal('artifact_quota_exceeded');
      await nothingLeft(3);
      await worker.report('release', id, {}, 1);
      expect((await worker.claim()).body.attempt).to.equal(2);
      const large = await Promise.all(['a', 'b', 'c'].map((name) => put(name, Buffer.alloc(MIB / 2), { 'task-attempt': '2' })));
      expect(large.map(({ status }) => status).sort()).to.deep.equal([201, 201, 409]);
      await nothingLeft(5);
    });

    it('are one where the same name comes twice at once', async () => {
      const bytes = randomBytes(MIB);
      const same = await Promise.all(Array.from({ length: 4 }, () => put('same', bytes)));
      for (const answer of same) expect([answer.status, answer.body]).to.deep.equal([201, same[0]?.body]);
      const different = await Promise.all(['1', '2'].map((text) => put('different', text)));
      expect(different.map(({ status }) => status).sort()).to.deep.equal([201, 409]);
      await nothingLeft(2);
    });

    /** An upload by hand: its head and the first bytes of its body. */
    function beginUpload(name: string, bytes: number): Socket {
      const { port, hostname } = new URL(url);
      const socket = connect(Number(port), hostname);
      socket.write([
        `PUT ${pathOf(`name=${name}`)} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/octet-stream', `Content-Length: ${bytes}`,
        `Worker-Session: ${worker.session}`, 'Task-Attempt: 1', '', '0123',
      ].join('\r\n'));
      return socket;
    }
    const uploads = async (count: number): Promise<unknown> => eventually(async () => ((await api.call('GET', '/metrics')).body as string).includes(`task_executor_uploads ${count}\n`));

    it('leave nothing where the sender goes away half-way', async () => {
      const socket = beginUpload('half', 20 * MIB);
      await uploads(1);
      socket.write(randomBytes(12 * MIB));
      await eventually(async () => (await storage.leftovers()) === 1);
      socket.destroy();
      await uploads(0);
      await nothingLeft();
      expect((await put('half', 'whole')).status).to.equal(201);
    });

    it('leave nothing where the sender stalls', async () => {
      url = strict.url;
      const socket = beginUpload('stalled', 100);
      let answer = '';
      socket.on('data', (data) => {
        answer += data.toString();
      });
      await eventually(() => Promise.resolve(answer.includes('request_timeout')));
      expect(answer).to.match(/^HTTP\/1.1 408 /);
      socket.destroy();
      await nothingLeft();
    });

    for (const [fault, how] of [['fails', 'break'], ['is not there', 'vanish']] as const) {
      it(`are 503 while the storage ${fault}, and work again after`, async () => {
        const before = await put('before', 'x');
        await storage[how]();
        const logged = storageEvents();
        const refused = await put('meanwhile', 'x');
        expect([refused.status, refused.body.code, refused.headers['retry-after']]).to.deep.equal([503, 'storage_unavailable', '1']);
        const unread = await api.call('GET', `/api/v1/tasks/${id}/artifacts/${before.body.id as string}`);
        expect([unread.status, unread.body.code]).to.deep.equal([503, 'storage_unavailable']);
        expect(unread.headers).to.not.have.any.keys(OF_THE_FILE);
        expect(storageEvents()).to.equal(logged + 2);
        await storage.mend();
        expect((await put('meanwhile', 'x')).status).to.equal(201);
        expect((await download(before.body.id as string)).bytes.toString()).to.equal('x');
        await nothingLeft(2);
      });
    }

    it('are downloaded in parts', async () => {
      const text = 'abcdefghij';
      const { body: { id: file, sha256: hash } } = await put('text', text);
      const cases: [string, number, string, string?][] = [
        ['bytes=0-3', 206, 'abcd', 'bytes 0-3/10'], ['bytes=9-9', 206, 'j', 'bytes 9-9/10'], ['bytes=4-', 206, 'efghij', 'bytes 4-9/10'],
        ['bytes=-3', 206, 'hij', 'bytes 7-9/10'], ['bytes=-99', 206, text, 'bytes 0-9/10'], ['bytes=5-99', 206, 'fghij', 'bytes 5-9/10'],
        ['bytes=3-1', 200, text], ['bytes=-', 200, text], ['bytes=0-1,3-4', 200, text], ['lines=0-1', 200, text], ['bytes=a-b', 200, text],
      ];
      for (const [range, status, part, contentRange] of cases) {
        const found = await download(file as string, { range });
        expect([found.status, found.bytes.toString(), found.headers['content-range']], range).to.deep.equal([status, part, contentRange]);
      }
      for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0']) {
        const answer = await api.call('GET', `/api/v1/tasks/${id}/artifacts/${file as string}`, undefined, { range });
        expect([answer.status, answer.body.code, answer.headers['content-range']], range).to.deep.equal([416, 'range_not_satisfiable', 'bytes */10']);
        expect(answer.headers).to.not.have.any.keys(OF_THE_FILE);
      }
      const etag = `"${hash as string}"`;
      expect((await download(file as string, { range: 'bytes=0-0', 'if-range': etag })).status).to.equal(206);
      expect((await download(file as string, { range: 'bytes=0-0', 'if-range': '"other"' })).status).to.equal(200);
      for (const tag of [etag, `"a", ${etag}`, `W/${etag}`, '*']) {
        const { status, bytes, headers } = await download(file as string, { 'if-none-match': tag });
        expect([status, bytes.length, headers.etag, headers['cache-control']], tag).to.deep.equal([304, 0, etag, KEPT]);
      }
      expect((await download(file as string, { 'if-none-match': '"a"' })).status).to.equal(200);
      const head = await download(file as string, {}, 'HEAD');
      expect([head.status, head.bytes.length, head.headers['content-length']]).to.deep.equal([200, 0, '10']);

      const { body: { id: empty } } = await put('empty', '');
      expect(await download(empty as string)).to.deep.include({ status: 200, bytes: Buffer.alloc(0) });
      expect((await download(empty as string, { range: 'bytes=0-' })).status).to.equal(416);
    });

    it('are sent and downloaded by the client', async () => {
      const client = new ApiClient(api.url);
      const identity = { workerId: worker.id, session: worker.session };
      const bytes = randomBytes(20 * MIB);
      const attempt = { task_id: id, attempt: 1 };
      const stored = await client.putArtifact(identity, attempt, {
        name: 'model.bin', stream: Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]), bytes: bytes.length, contentType: 'text/plain; charset=utf-8', sha256: sha256(bytes),
      });
      expect(await list('?attempt=1')).to.deep.equal([stored]);
      const whole = await client.downloadArtifact(id, stored.id);
      expect([whole.bytes, whole.sha256]).to.deep.equal([bytes.length, sha256(bytes).toString('hex')]);
      expect((await buffer(whole.stream)).equals(bytes)).to.equal(true);
      const rest = await client.downloadArtifact(id, stored.id, { from: 19 * MIB });
      expect((await buffer(rest.stream)).equals(bytes.subarray(19 * MIB))).to.equal(true);
      // A stream that fails, or is shorter than announced, leaves nothing.
      const broken = new Readable({ read: () => undefined });
      const failing = client.putArtifact(identity, attempt, { name: 'broken', stream: broken, bytes: 100 });
      broken.push('0123');
      broken.destroy(new Error('the disk broke'));
      expect(await failing.then(() => '', String)).to.include('the disk broke');
      const short = client.putArtifact(identity, attempt, { name: 'short', stream: Readable.from(['0123']), bytes: 100 });
      expect(await short.then(() => null, (error: unknown) => error)).to.be.instanceOf(ApiUnreachable);
      const refused = client.putArtifact(identity, { task_id: id, attempt: 2 }, { name: 'large', stream: Readable.from([bytes]), bytes: bytes.length });
      expect(await refused.then(() => '', String)).to.include('attempt_not_held');
      await client.putProgress(identity, attempt, { step: 1 });
      expect((await client.getTask(id)).progress?.step).to.equal(1);
      await client.close();
      await nothingLeft(1);
    });
  });
}
