/**
 * Follows one task after another by its stream of events, with its log. A stream that breaks off, or says nothing for a while, is taken
 * up again with the id of the last event that came whole.
 */
import { Client } from './client.js';
import type { Follow } from './history.js';

/** Less than the time after which the server says a word: streams are taken up often. */
const SILENCE_MS = 6_000;
const FINISH_TRIES = 30;

interface Told {
  readonly status?: string;
  readonly attempt?: number;
  readonly message?: string;
}

export class Follower extends Client {
  readonly #followed = new Set<string>();
  #open: Follow | null = null;

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(100, 500));
      // The newest, so that it is followed from its beginning.
      const taskId = this.world.recent.at(-1);
      if (taskId === undefined || this.#followed.has(taskId) || this.world.isOver) continue;
      this.#followed.add(taskId);
      this.#open = this.world.history.begin<Follow>(this.name, { verb: 'follow', taskId, events: [], streams: 0 });
      while (!this.world.isOver && this.#open.ended === null) {
        await this.#stream(this.#open);
        await this.world.pause(this.random.between(50, 300));
      }
    }
  }

  /** Follows to its end what the end of the run cut off. */
  async finish(): Promise<void> {
    for (let tries = 1; tries <= FINISH_TRIES && this.#open !== null && this.#open.ended === null; tries++) await this.#stream(this.#open);
  }

  /** One stream, until it ends in whichever way. */
  async #stream(follow: Follow): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => {
      silence.abort();
    }, SILENCE_MS);
    follow.streams += 1;
    try {
      const response = await fetch(`${this.url}/api/v1/tasks/${follow.taskId}/events?logs=true`, {
        signal: silence.signal, headers: { 'last-event-id': follow.events.at(-1)?.id ?? '0' },
      });
      if (response.status === 404) this.world.history.end(follow, 'fail', '404');
      if (response.status !== 200 || response.body === null) return;
      let rest = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer);
        timer = setTimeout(() => {
          silence.abort();
        }, SILENCE_MS);
        const pieces = `${rest}${text}`.split('\n\n');
        rest = pieces.pop() ?? '';
        for (const piece of pieces) this.#take(follow, piece);
      }
    } catch {
      // It is taken up again.
    } finally {
      clearTimeout(timer);
    }
  }

  /** One event; comments and the time to wait are none. */
  #take(follow: Follow, piece: string): void {
    const fields = new Map(piece.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
    const [id, kind] = [fields.get('id'), fields.get('event')];
    if (id === undefined || kind === undefined) return;
    const { status, attempt, message } = JSON.parse(fields.get('data') ?? '{}') as Told;
    follow.events.push({ stream: follow.streams, id, kind, status: status ?? null, attempt: attempt ?? null, message: message ?? null });
    if (id.endsWith('-end')) this.world.history.end(follow, 'ok');
  }
}
