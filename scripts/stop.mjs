/** `make stop`: ends the API that runs on the data folder, and `make api-dev` there, in good order, and waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dataDir, runningApi, runningDev } from './lib/data-dir.mjs';
import { Failure, main } from './lib/run.mjs';

const TIMEOUT_MS = 90_000;

await main(async () => {
  // The one who would start the API again, where there is one, ends the API as well.
  const find = (await runningDev()) === null ? runningApi : runningDev;
  const pid = await find();
  if (pid === null) {
    console.log(`Nothing runs on ${dataDir}.`);
    return;
  }
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + TIMEOUT_MS;
  while ((await find()) === pid || (await runningApi()) !== null) {
    if (performance.now() > deadline) throw new Failure(`Process ${pid} has not ended within ${TIMEOUT_MS / 1000} seconds.`);
    await sleep(100);
  }
  console.log(`Stopped process ${pid}.`);
});
