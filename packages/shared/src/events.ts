/**
 * Server-Sent Events as this API sends them (https://html.spec.whatwg.org/multipage/server-sent-events.html): bytes in, events out.
 * Comments and fields that are not used are passed over. An event in which the stream broke off is dropped, as the standard asks.
 */
import type { components } from './contract.gen.js';

type Schemas = components['schemas'];

/** An event of a task; see `TaskEvent` in the contract. */
export type TaskEvent =
  | { readonly id: string; readonly event: 'status'; readonly data: Schemas['TaskStatusEvent'] }
  | { readonly id: string; readonly event: 'progress'; readonly data: NonNullable<Schemas['TaskProgress']> }
  | { readonly id: string; readonly event: 'log'; readonly data: Schemas['LogLine'] };

/** More than any event of this API holds; the longest is a log line of its greatest length, escaped. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024;

export interface ServerSentEvent {
  /** The id of this event, or of the last before it that had one. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events in `bytes`. @throws where one is longer than any of this API */
export async function* parseEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) throw new Error('an event is too long');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, event: event === '' ? 'message' : event, data: data.join('\n') };
        event = '';
        data = [];
        continue;
      }
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === 'id') id = value ?? '';
      else if (field === 'event') event = value ?? '';
      else if (field === 'data') data.push(value ?? '');
    }
  }
}
