/** Clients that submit, read and cancel all the while, at whichever address is theirs; what they were answered is counted. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Between the calls of a client: together no faster than the workers are. */
const PAUSE_MS = 60;
const PATIENCE_MS = 10_000;

/** between: the earlier API is gone, and that of today is not yet at its address. */
export type Era = 'before' | 'beside' | 'between' | 'after';

interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export async function call(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const patience = new AbortController();
  const timer = setTimeout(() => {
    patience.abort();
  }, PATIENCE_MS);
  try {
    const answer = await fetch(`${url}${path}`, {
      method, signal: patience.signal,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Record<string, unknown> };
  } catch {
    return { status: 0, body: {} };
  } finally {
    clearTimeout(timer);
  }
}

export class Load {
  /** Tasks that were acknowledged, and those whose cancel was. */
  readonly accepted = new Set<string>();
  readonly cancelled = new Set<string>();
  /** Those of whose cancel nobody knows whether it counts. */
  readonly perhaps = new Set<string>();
  /** Of each era and place, how many calls got which status; of those that failed, an example. */
  readonly answers = new Map<string, Map<number, number>>();
  readonly examples = new Map<string, string>();
  era: Era = 'before';
  readonly #clients: Promise<void>[] = [];
  #stopped = false;

  /** `dependencies`: the version at `url` knows them. */
  start(place: string, url: string, clients: number, { dependencies }: { dependencies: boolean }): void {
    for (let n = 0; n < clients; n++) this.#clients.push(this.#client(place, url, dependencies));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  /** Resolves when so many more tasks have been accepted, or after `patienceMs`. */
  async accepts(more: number, patienceMs: number): Promise<void> {
    const wanted = this.accepted.size + more;
    const until = Date.now() + patienceMs;
    while (this.accepted.size < wanted && Date.now() < until) await sleep(50);
  }

  async #call(place: string, url: string, method: string, path: string, body?: unknown): Promise<Answer> {
    const key = `${this.era} ${place}`;
    const answer = await call(url, method, path, body);
    const counts = this.answers.get(key) ?? new Map<number, number>();
    this.answers.set(key, counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1));
    if (answer.status >= 300 && answer.status !== 409) {
      this.examples.set(`${key} ${answer.status}`, `${method} ${path}: ${String(answer.body['code'])} ${String(answer.body['detail'])}`);
    }
    return answer;
  }

  async #client(place: string, url: string, dependencies: boolean): Promise<void> {
    let before: string | null = null;
    for (let n = 1; !this.#stopped; n++) {
      const parameters = { max_steps: 2, duration_seconds: n % 20 === 0 ? 4 : 0.2, fail: n % 7 === 0 };
      const after: Record<string, unknown> = dependencies && n % 5 === 0 && before !== null
        ? { depends_on: [before], on_dependency_failure: 'run_anyway' } : {};
      const { status, body } = await this.#call(place, url, 'POST', '/api/v1/tasks', { problem_id: 'test-upgrade', parameters, ...after });
      if (status === 201) {
        const id = String(body['id']);
        this.accepted.add(id);
        before = id;
        if (n % 10 === 0) {
          const cancel = await this.#call(place, url, 'POST', `/api/v1/tasks/${id}/cancel`);
          if (cancel.status === 200) this.cancelled.add(id);
          else if (cancel.status !== 409) this.perhaps.add(id);
        }
        const reads = [`/api/v1/tasks/${id}`, `/api/v1/tasks/${id}/logs`, '/api/v1/tasks?page_size=10', '/api/v1/tasks/stats', '/api/v1/workers'];
        await this.#call(place, url, 'GET', reads[n % reads.length] ?? '');
      }
      await sleep(PAUSE_MS);
    }
  }
}
