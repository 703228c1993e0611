import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { UPLOAD_MS } from '../src/artifacts/store.js';
import { ConfigError, readConfig, type ApiConfig } from '../src/config.js';
import { eventually, workerWithTask } from './support/actors.js';
import { startTestApi } from './support/api.js';
import { startFolder } from './support/storage.js';

describe('the storage of artifacts', () => {
  it('is what the configuration says', () => {
    const placeOf = (environment: Record<string, string>): ApiConfig['artifacts'] => readConfig(environment).artifacts;
    expect(placeOf({})).to.deep.equal({ kind: 'folder', folder: join('.data', 'artifacts') });
    expect(placeOf({ ARTIFACTS_URL: 'file:///var/lib/a%20b' })).to.deep.equal({ kind: 'folder', folder: '/var/lib/a b' });
    expect(placeOf({ ARTIFACTS_URL: 'file:/var/lib/x' })).to.deep.equal({ kind: 'folder', folder: '/var/lib/x' });
    expect(placeOf({ ARTIFACTS_URL: 'file:kept/here' })).to.deep.equal({ kind: 'folder', folder: 'kept/here' });
    const s3 = { kind: 's3', bucket: 'results', prefix: '', endpoint: null, region: null };
    expect(placeOf({ ARTIFACTS_URL: 's3://results' })).to.deep.equal(s3);
    expect(placeOf({ ARTIFACTS_URL: 's3://results/team/a/', S3_REGION: 'eu-west-1' })).to.deep.equal({ ...s3, prefix: 'team/a/', region: 'eu-west-1' });
    expect(placeOf({ ARTIFACTS_URL: 's3://results', S3_ENDPOINT: 'http://s3.internal:9000' }))
      .to.deep.equal({ ...s3, endpoint: 'http://s3.internal:9000', region: 'us-east-1' });
    for (const url of ['results', 's3://', 's3://A', 'http://x', 'file:', 'file://host/x', 'file:///%zz', 'file:///a%2fb']) {
      expect(() => placeOf({ ARTIFACTS_URL: url }), url).to.throw(ConfigError, 'ARTIFACTS_URL');
    }
    expect(() => placeOf({ S3_ENDPOINT: 's3.internal' })).to.throw(ConfigError, 'S3_ENDPOINT');
  });

  it('loses at the start what an old upload has left, and nothing else', async () => {
    const storage = await startFolder();
    const temporary = join(storage.folder, 'tmp');
    await mkdir(temporary, { recursive: true });
    const before = new Date(Date.now() - UPLOAD_MS - 60_000);
    for (const name of ['old.part', 'new.part']) await writeFile(join(temporary, name), name);
    await utimes(join(temporary, 'old.part'), before, before);
    const api = await startTestApi(storage.environment);
    await eventually(async () => !(await readdir(temporary)).includes('old.part'));
    expect(await readdir(temporary)).to.deep.equal(['new.part']);
    await api.stop();
    await storage.stop();
  });

  it('takes an upload that lasts longer than a request may take to arrive', async () => {
    const api = await startTestApi({ REQUEST_TIMEOUT_SECONDS: '1', LEASE_SECONDS: '600' });
    const { worker, id } = await workerWithTask(api);
    await worker.claim();
    const { port, hostname } = new URL(api.url);
    const begin = (head: string[]) => {
      const socket = connect(Number(port), hostname);
      const received = { text: '' };
      socket.on('data', (data) => {
        received.text += data.toString();
      });
      socket.on('error', () => undefined);
      socket.write([...head, 'Host: localhost', 'Content-Length: 10', '', '01234'].join('\r\n'));
      return { socket, received };
    };
    const upload = begin([`PUT /api/v1/workers/${worker.id}/tasks/${id}/artifacts?name=slow HTTP/1.1`, 'Content-Type: application/octet-stream']);
    await eventually(async () => ((await api.call('GET', '/metrics')).body as string).includes('task_executor_uploads 1'));
    // It began before a request that is cut off, and is not.
    const other = begin(['POST /api/v1/tasks HTTP/1.1', 'Content-Type: application/json']);
    await eventually(() => Promise.resolve(other.received.text.includes('"code":"request_timeout"')));
    expect(other.received.text).to.match(/^HTTP\/1\.1 408 Request Timeout\r\n(.*\r\n)?Content-Type: application\/problem\+json(; charset=utf-8)?\r\n/s);
    upload.socket.write('56789');
    await eventually(() => Promise.resolve(upload.received.text.includes('"name":"slow"')));
    expect(upload.received.text).to.match(/^HTTP\/1\.1 201 /);
    upload.socket.destroy();
    other.socket.destroy();
    await api.stop();
  });
});
