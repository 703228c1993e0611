/**
 * The part of the S3 protocol that the store uses, in memory, for the real SDK to talk to: objects by path, ranges, deletion,
 * and uploads in parts (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html).
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeS3 {
  readonly endpoint: string;
  /** By bucket and key. */
  readonly objects: Map<string, Buffer>;
  /** Uploads in parts that were begun and neither completed nor given up. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  /** How many uploads in parts were completed. */
  completed: number;
  /** Answers every request with 503. */
  down: boolean;
  /** Closes its port, so that connections are refused. */
  close(): Promise<void>;
  /** Opens the port again. */
  open(): Promise<void>;
  stop(): Promise<void>;
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function xml(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

export async function startFakeS3(): Promise<FakeS3> {
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? '', 'http://s3');
    const path = decodeURIComponent(url.pathname.slice(1));
    const upload = url.searchParams.get('uploadId');
    const body = await bodyOf(req);
    if (fake.down) xml(res, 503, '<Error><Code>SlowDown</Code></Error>');
    else if (!/^AWS4-HMAC-SHA256 Credential=test-key\//.test(req.headers.authorization ?? '')) xml(res, 403, '<Error><Code>AccessDenied</Code></Error>');
    else if (req.method === 'POST' && url.searchParams.has('uploads')) {
      const id = randomUUID();
      fake.uploads.set(id, new Map());
      xml(res, 200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    } else if (upload !== null && !fake.uploads.has(upload)) xml(res, 404, '<Error><Code>NoSuchUpload</Code></Error>');
    else if (req.method === 'PUT' && upload !== null) {
      fake.uploads.get(upload)?.set(Number(url.searchParams.get('partNumber')), body);
      res.writeHead(200, { etag: etagOf(body) }).end();
    } else if (req.method === 'POST' && upload !== null) {
      const parts = [...fake.uploads.get(upload) ?? []].sort(([a], [b]) => a - b).map(([, part]) => part);
      fake.objects.set(path, Buffer.concat(parts));
      fake.uploads.delete(upload);
      fake.completed += 1;
      xml(res, 200, '<CompleteMultipartUploadResult><ETag>"all"</ETag></CompleteMultipartUploadResult>');
    } else if (req.method === 'DELETE') {
      if (upload === null) fake.objects.delete(path);
      else fake.uploads.delete(upload);
      res.writeHead(204).end();
    } else if (req.method === 'PUT') {
      fake.objects.set(path, body);
      res.writeHead(200, { etag: etagOf(body) }).end();
    } else {
      const found = fake.objects.get(path);
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range ?? '') ?? [];
      if (found === undefined) xml(res, 404, '<Error><Code>NoSuchKey</Code></Error>');
      else res.writeHead(206).end(found.subarray(Number(first), Number(last) + 1));
    }
  };
  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  const open = (on: number): Promise<void> => new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(on, '127.0.0.1', resolve);
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await open(0);
  const { port } = server.address() as AddressInfo;
  const before = { key: process.env.AWS_ACCESS_KEY_ID, secret: process.env.AWS_SECRET_ACCESS_KEY };
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test-key', AWS_SECRET_ACCESS_KEY: 'test-secret' });
  const fake: FakeS3 = {
    endpoint: `http://127.0.0.1:${port}`,
    objects: new Map(),
    uploads: new Map(),
    completed: 0,
    down: false,
    close,
    open: () => open(port),
    stop: async () => {
      for (const [name, value] of [['AWS_ACCESS_KEY_ID', before.key], ['AWS_SECRET_ACCESS_KEY', before.secret]] as const) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      await close();
    },
  };
  return fake;
}
