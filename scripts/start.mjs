/**
 * `npm start`: installs, builds and runs the API, which brings up PostgreSQL and its internal workers by itself. Ends with
 * the API's exit code.
 */
import { foreground } from './lib/foreground.mjs';
import { main } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

await main(async () => {
  await setUp();
  return foreground(process.execPath, ['packages/api/dist/main.js', 'serve']);
});
