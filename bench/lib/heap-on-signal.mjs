/** Loaded into a process that is measured, with --expose-gc: at SIGUSR2 it writes how much of its heap is in use into HEAP_FILE. */
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.HEAP_FILE;
process.on('SIGUSR2', () => {
  // What the first collection makes unreachable (weak references), the second one takes.
  globalThis.gc();
  globalThis.gc();
  writeFileSync(`${file}.new`, String(process.memoryUsage().heapUsed));
  renameSync(`${file}.new`, file);
});
