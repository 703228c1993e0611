/** The executable `task-executor-worker`; see bin/task-executor-worker.js, which is there before this is built. */
import { setFlagsFromString } from 'node:v8';
import { createCommand } from './process/cli.js';

// A worker's garbage dies young: with room for more of it the worker would only take memory from the tasks of its host.
setFlagsFromString('--semi-space-growth-factor=1');
await createCommand().parseAsync();
