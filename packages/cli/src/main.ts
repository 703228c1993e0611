/** The executable `task-executor`; see bin/task-executor.js, which is there before this is built. */
import { run } from './cli.js';
import { endWithReader } from './output/terminal.js';

endWithReader();
await run(process.argv);
