/** `npm run build`: installs and builds, as `npm start` and `npm test` do, and runs nothing. */
import { main } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

await main(() => setUp());
