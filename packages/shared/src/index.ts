/** What API, worker and clients agree on: the contract's types, its words, its bounds, and a client for it. */
export type { components, operations, paths } from './contract.gen.js';
export * from './api-headers.js';
export * from './backoff.js';
export * from './bounded.js';
export * from './client.js';
export { AnswerTooLarge, ApiError, ApiUnreachable } from './connection.js';
export { parseEvents, type ServerSentEvent, type TaskEvent } from './events.js';
export * from './globs.js';
export * from './heartbeat-wait.js';
export * from './limits.js';
export * from './make-folder.js';
export * from './patterns.js';
export * from './problems.js';
export * from './process-identity.js';
export * from './query.js';
export * from './repeat.js';
export * from './states.js';
export * from './task-client.js';
