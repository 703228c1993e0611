/** The embedded PostgreSQL for scripts: the API's own, as it was built. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run.mjs';

const built = () => import(pathToFileURL(join(root, 'packages/api/dist/embedded-postgres.js')).href);

/** Starts it; see packages/api/src/embedded-postgres.ts. */
export const startEmbeddedPostgres = async (options) => (await built()).startEmbeddedPostgres(options);

/** Deletes its data. */
export const removeEmbeddedPostgres = async (dataDir) => (await built()).removeEmbeddedPostgres(dataDir);
