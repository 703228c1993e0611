/** The parent, followed by one that came back once: two statuses of its attempts, its two lines, its end. */
import type { FollowedEvent } from '../../clients/history.js';
import { noted, note, PARENT, the, type Draft, type Forgery, type Writable } from '../forged.js';

const status = (stream: number, id: string, name: string, attempt: number): FollowedEvent =>
  ({ stream, id, kind: 'status', status: name, attempt, message: null });
const line = (stream: number, n: number): FollowedEvent =>
  ({ stream, id: String(n), kind: 'log', status: null, attempt: 2, message: String(n) });

export function add(draft: Draft): void {
  note(draft, {
    ...noted(300, 22_050), verb: 'follow', taskId: PARENT, streams: 2,
    events: [status(1, '0', 'pending', 0), status(1, '0', 'running', 1), status(2, '0', 'running', 2), line(2, 1), line(2, 2), status(2, '2-end', 'completed', 2)],
  });
}

function change(draft: Draft, by: (events: Writable<FollowedEvent[]>) => unknown): void {
  const follow = the(draft.operations, (one) => one.verb === 'follow');
  if (follow.verb === 'follow') by(follow.events);
}

export const FORGERIES: readonly Forgery[] = [
  ['followersReadEachLineOnce', 'a line did not come', (draft) => {
    change(draft, (events) => events.splice(4, 1));
  }],
  ['followersReadEachLineOnce', 'a line came twice', (draft) => {
    change(draft, (events) => events.splice(4, 0, { ...line(2, 1) }));
  }],
  ['followersReadEachLineOnce', 'a line is another', (draft) => {
    change(draft, (events) => events.splice(3, 1, { ...line(2, 1), message: 'other' }));
  }],
  ['followersReadTheEnd', 'it never came', (draft) => {
    change(draft, (events) => events.pop());
    Object.assign(the(draft.operations, (one) => one.verb === 'follow'), { result: 'unknown' });
  }],
  ['followersReadTheEnd', 'it came too soon', (draft) => {
    change(draft, (events) => events.unshift({ ...status(1, '0', 'failed', 1) }));
  }],
  ['followersReadTheEnd', 'it was another', (draft) => {
    change(draft, (events) => events.splice(5, 1, { ...status(2, '2-end', 'failed', 2) }));
  }],
  ['followersAreToldForwards', 'an id went back', (draft) => {
    change(draft, (events) => events.splice(4, 0, { ...status(2, '0', 'running', 2) }));
  }],
  ['followersAreToldForwards', 'an attempt went back', (draft) => {
    change(draft, (events) => events.splice(3, 0, { ...status(2, '0', 'pending', 1) }));
  }],
];
