/** The embedded PostgreSQL for scripts: the API's own, as it was built. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { root } from './run.mjs';

/** Starts it; see packages/api/src/embedded-postgres.ts. */
export async function startEmbeddedPostgres(options) {
  const built = await import(pathToFileURL(join(root, 'packages/api/dist/embedded-postgres.js')).href);
  return built.startEmbeddedPostgres(options);
}
