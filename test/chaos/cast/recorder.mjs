/**
 * Loaded into workers (NODE_OPTIONS): writes down what they ask of the API and what they are answered, in the file CHAOS_RECORD,
 * one JSON object a line. It listens on the diagnostics channels of undici, so the worker is the one that is shipped. A request is
 * written down before it is sent; one without an answer in the file is one of which nobody knows what became.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

const WATCHED = /^\/api\/v1\/workers\/(?:register$|[^/]+\/(?:claim$|claim-batch$|report$|tasks\/[^/]+\/(?:(?:logs|complete|fail|release)$|artifacts\?)))/;

const calls = new WeakMap();
let made = 0;

const monotonicMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;

function write(entry) {
  appendFileSync(process.env.CHAOS_RECORD, `${JSON.stringify({ at: monotonicMs(), ...entry })}\n`);
}

function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headerOf({ headers }, name) {
  const at = headers.findIndex((one, n) => n % 2 === 0 && String(one).toLowerCase() === name);
  return at < 0 ? null : String(headers[at + 1]);
}

subscribe('undici:request:create', ({ request }) => {
  if (!WATCHED.test(request.path)) return;
  made += 1;
  const call = { id: `${process.pid}.${threadId}.${made}`, status: 0, chunks: [] };
  calls.set(request, call);
  write({
    call: call.id, type: 'invoke', path: request.path, session: headerOf(request, 'worker-session'),
    attempt: Number(headerOf(request, 'task-attempt')), body: parse(String(request.body ?? '')),
  });
});

subscribe('undici:request:headers', ({ request, response }) => {
  const call = calls.get(request);
  if (call !== undefined) call.status = response.statusCode;
});

subscribe('undici:request:bodyChunkReceived', ({ request, chunk }) => {
  calls.get(request)?.chunks.push(Buffer.from(chunk));
});

subscribe('undici:request:trailers', ({ request }) => {
  const call = calls.get(request);
  if (call === undefined) return;
  calls.delete(request);
  const answer = parse(Buffer.concat(call.chunks).toString('utf8'));
  if (answer !== undefined) write({ call: call.id, type: 'answer', status: call.status, answer });
});
