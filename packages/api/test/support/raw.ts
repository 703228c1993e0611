/** HTTP over sockets, byte by byte: what no client would send, and all that comes back, in the order in which it came. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; of several with one name, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answers that `bytes` begins with, and how many bytes they have. `heads`: answers without a body, by their place. */
function parseAnswers(bytes: Buffer, isHead: boolean): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(first)?.[1]);
    if (!(status >= 100)) throw new Error(`this is no answer: ${JSON.stringify(first.slice(0, 200))}`);
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    at = end + 4;
    const empty = isHead || status < 200 || status === 204 || status === 304;
    const chunked = headers['transfer-encoding'] === 'chunked';
    const length = empty ? 0 : Number(headers['content-length'] ?? 0);
    if (chunked && !empty) {
      const last = bytes.indexOf('0\r\n\r\n', at);
      if (last < 0) return answers;
      answers.push({ status, headers, body: bytes.toString('utf8', at, last) });
      at = last + 5;
      continue;
    }
    if (bytes.length < at + length) return answers;
    answers.push({ status, headers, body: bytes.toString('utf8', at, at + length) });
    at += length;
  }
}

/** A connection to the server at `url`. Errors are silent: the other end may cut it at any moment. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
  socket.on('error', () => undefined);
  return socket;
}

/** Resolves when the connection is closed, whoever did it. What comes is thrown away, unless `read` is false. */
export function closed(socket: Socket, read = true): Promise<void> {
  if (read) socket.resume();
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else {
      socket.once('close', () => {
        resolve();
      });
    }
  });
}

/**
 * Sends `bytes` over a connection of its own and resolves with the answers: `count` of them, or fewer where the server closes before.
 * `half`: nothing follows, and the server is told so.
 */
export function exchange(url: string, bytes: string | Buffer, { count = 1, half = false } = {}): Promise<{ answers: RawAnswer[]; closed: boolean }> {
  const socket = open(url);
  const isHead = bytes.toString('latin1').startsWith('HEAD ');
  const got: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const look = (isClosed: boolean): void => {
      try {
        const answers = parseAnswers(Buffer.concat(got), isHead);
        if (!isClosed && answers.filter(({ status }) => status >= 200).length < count) return;
        resolve({ answers, closed: isClosed });
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      got.push(chunk);
      look(false);
    });
    socket.on('close', () => {
      look(true);
    });
    socket.on('connect', () => {
      if (half) socket.end(bytes);
      else socket.write(bytes);
    });
  });
}
