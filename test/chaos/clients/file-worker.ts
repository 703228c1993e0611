/**
 * A worker whose tasks leave files: it stores each under a name, repeats that until it is answered, and does what ours never do: other
 * bytes under the same name, a digest that does not fit, an upload that it breaks off, an attempt that it has not got, a file after the end.
 */
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientParts } from './client.js';
import type { Download, Outcome, Upload } from './history.js';
import type { Held, RawSession, RawWorker } from './raw-worker.js';
import { makeSubmission } from './submissions.js';

/** Of no other worker. */
const PROBLEM = 'files';
const BYTES = { least: 1, most: 200_000 };
const TIMEOUT_MS = 8_000;
const TRIES = 10;
const AGAIN_MS = 200;

interface File {
  readonly name: string;
  readonly content: Buffer;
}

export class FileWorker extends Client {
  readonly #raw: RawWorker;
  #session: RawSession | null = null;
  #rounds = 0;

  constructor({ raw, ...parts }: ClientParts & { readonly raw: RawWorker }) {
    super(parts);
    this.#raw = raw;
  }

  async run(): Promise<void> {
    // First what takes a whole upload of its own to happen at all.
    let tricks: ((held: Held, file: File) => Promise<unknown>)[] = [this.#brokenOff];
    while (!this.world.isOver) {
      this.#session ??= await this.#raw.register(null, [PROBLEM]);
      await this.#submit();
      const held = this.#session === null ? null : await this.#raw.claim(this.#session);
      if (held === null) {
        this.#session = null;
        await this.world.pause(200);
        continue;
      }
      if (tricks.length === 0) tricks = this.random.shuffled([this.#twice, this.#otherBytes, this.#wrongDigest, this.#brokenOff, this.#wrongAttempt, this.#tooLate]);
      const file = this.#file('results/own');
      await this.#store(held, file);
      await tricks.pop()?.call(this, held, file);
      await this.#raw.deliver(held, 'completed', { marker: held.marker, attempt: held.attempt });
    }
  }

  /** Ends what is left of its tasks, which nobody else would. Whatever it held goes back when it registers anew. */
  async letGo(): Promise<void> {
    this.#session = await this.#raw.register(this.#session?.workerId ?? null, [PROBLEM]);
    for (let held = await this.#next(); held !== null; held = await this.#next()) {
      await this.#raw.deliver(held, 'completed', { marker: held.marker, attempt: held.attempt });
    }
  }

  async #next(): Promise<Held | null> {
    return this.#session === null ? null : this.#raw.claim(this.#session, 0);
  }

  /** Reads an artifact. */
  async read(taskId: string, artifactId: string): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const noted = this.world.history.begin<Download>(this.name, { verb: 'download', taskId, artifactId, sha256: null, bytes: null });
      const found = await fetch(`${this.url}/api/v1/tasks/${taskId}/artifacts/${artifactId}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
        .then(async (answer) => ({ status: answer.status, content: Buffer.from(await answer.arrayBuffer()) }), () => null);
      if (found?.status === 200) Object.assign(noted, { sha256: hashOf(found.content), bytes: found.content.length });
      const result = resultOf(found?.status ?? null);
      this.world.history.end(noted, result, result === 'fail' ? String(found?.status) : null);
      if (result !== 'unknown') return;
      await sleep(AGAIN_MS);
    }
  }

  async #submit(): Promise<void> {
    this.#rounds += 1;
    const marker = `${this.name}-${this.#rounds}`;
    await this.submitTogether(marker, [{ ...makeSubmission(this.random, marker, []), problem_id: PROBLEM, priority: 10 }]);
  }

  #file(name: string): File {
    return { name, content: randomBytes(this.random.whole(BYTES.least, BYTES.most)) };
  }

  /** Until it is answered. */
  async #store(held: Held, file: File): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      if ((await this.#put(held, file)) !== 'unknown') return;
      await sleep(AGAIN_MS);
    }
  }

  #twice(held: Held, file: File): Promise<unknown> {
    return this.#store(held, file);
  }

  #otherBytes(held: Held): Promise<unknown> {
    return this.#put(held, this.#file('results/own'));
  }

  #wrongDigest(held: Held): Promise<unknown> {
    return this.#put(held, this.#file('wrong'), { digestOf: Buffer.from('other') });
  }

  #brokenOff(held: Held): Promise<unknown> {
    return this.#put(held, this.#file('broken-off'), { isWhole: false });
  }

  #wrongAttempt(held: Held): Promise<unknown> {
    return this.#put({ ...held, attempt: held.attempt + 1 }, this.#file('not-mine'));
  }

  async #tooLate(held: Held): Promise<void> {
    await this.#raw.deliver(held, 'completed', { marker: held.marker, attempt: held.attempt });
    await this.#put(held, this.#file('too-late'));
  }

  /** Sends a file once. */
  async #put(held: Held, { name, content }: File, { digestOf = content, isWhole = true } = {}): Promise<Outcome> {
    const { workerId, session, taskId, attempt } = held;
    const noted = this.world.history.begin<Upload>(this.name, { verb: 'upload', session, taskId, attempt, name, sha256: hashOf(digestOf), isWhole, artifactId: null });
    const digest = createHash('sha256').update(digestOf).digest('base64');
    const found = await send(`${this.url}/api/v1/workers/${workerId}/tasks/${taskId}/artifacts?name=${encodeURIComponent(name)}`, {
      'content-type': 'application/octet-stream', 'content-length': String(content.length), 'content-digest': `sha-256=:${digest}:`,
      'worker-session': session, 'task-attempt': String(attempt),
    }, isWhole ? content : content.subarray(0, content.length / 2));
    const result = resultOf(found?.status ?? null);
    const answer = found?.answer as { id?: string; code?: string } | undefined;
    if (result === 'ok') noted.artifactId = answer?.id ?? null;
    this.world.history.end(noted, result, result === 'fail' ? (answer?.code ?? String(found?.status)) : null);
    return result;
  }
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function resultOf(status: number | null): Outcome {
  return status === null || status >= 500 ? 'unknown' : status < 400 ? 'ok' : 'fail';
}

/** Sends what there is of a body; where it is shorter than was said, the connection ends with it. Null: there was no answer. */
function send(url: string, headers: Record<string, string>, content: Buffer): Promise<{ status: number; answer: unknown } | null> {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'PUT', headers, timeout: TIMEOUT_MS, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {
        resolve(null);
      });
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 500, answer: JSON.parse(Buffer.concat(chunks).toString()) as unknown });
        } catch {
          resolve(null);
        }
      });
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => undefined);
    sent.on('close', () => {
      resolve(null);
    });
    if (content.length < Number(headers['content-length'])) sent.write(content, () => sent.destroy());
    else sent.end(content);
  });
}
