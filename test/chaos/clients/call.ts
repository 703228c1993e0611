/** One call of the API, and what its caller knows afterwards. */

export type Answer =
  | { readonly result: 'ok'; readonly status: number; readonly body: unknown }
  | { readonly result: 'fail'; readonly code: string }
  | { readonly result: 'unknown' };

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 8_000;

/** Never throws: what goes wrong on the way is unknown, and so is what a server with trouble of its own says. */
export async function call(url: string, { method, path, body, headers, timeoutMs = TIMEOUT_MS }: Request): Promise<Answer> {
  try {
    const response = await fetch(`${url}${path}`, {
      method, signal: AbortSignal.timeout(timeoutMs),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 500) return { result: 'unknown' };
    const answer: unknown = text === '' ? null : JSON.parse(text);
    if (response.ok) return { result: 'ok', status: response.status, body: answer };
    return { result: 'fail', code: (answer as { code?: string } | null)?.code ?? String(response.status) };
  } catch {
    return { result: 'unknown' };
  }
}
