/** `make stop`: ends the API that runs on the data folder, in good order, and waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dataDir, runningApi } from './lib/data-dir.mjs';
import { Failure, main } from './lib/run.mjs';

const TIMEOUT_MS = 90_000;

await main(async () => {
  const pid = await runningApi();
  if (pid === null) {
    console.log(`Nothing runs on ${dataDir}.`);
    return;
  }
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + TIMEOUT_MS;
  while ((await runningApi()) === pid) {
    if (performance.now() > deadline) throw new Failure(`Process ${pid} has not ended within ${TIMEOUT_MS / 1000} seconds.`);
    await sleep(100);
  }
  console.log(`Stopped process ${pid}.`);
});
