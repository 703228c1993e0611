#!/usr/bin/env node
try {
  await import('../dist/main.js');
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('The command line is not built: run `npm run build` at the top of the repository first.\n');
  process.exitCode = 70;
}
