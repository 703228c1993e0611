/** The machine and the settings of a run: without them no number of it means anything. */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { root } from '../../scripts/lib/run.mjs';

export async function describeMachine() {
  const processors = cpus();
  const git = await promisify(execFile)('git', ['describe', '--always', '--dirty'], { cwd: root }).then(({ stdout }) => stdout.trim(), () => null);
  return {
    date: new Date().toISOString(), commit: git, cpu: processors[0]?.model ?? 'unknown', cores: processors.length,
    memoryGigabytes: Math.round(totalmem() / 1024 ** 3), system: `${platform()} ${release()} ${arch()}`, node: process.version, load: loadavg()[0],
  };
}

export function printMachine(machine, postgres, { mode, sizes }, print = console.log) {
  print(`machine     ${machine.cores} x ${machine.cpu}, ${machine.memoryGigabytes} GB, ${machine.system}, Node ${machine.node}`);
  print(`PostgreSQL  ${postgres.kind}, ${Object.entries(postgres.settings).map(([name, value]) => `${name} ${value}`).join(', ')}`);
  print(`            a commit of one row takes ${postgres.commitMs.toFixed(2)} ms`);
  print(`run         ${mode}: ${sizes.seconds} s a load, ${sizes.repeats} times; commit ${machine.commit ?? 'unknown'}, ${machine.date}`);
  if (mode === 'smoke') print('WARNING     tiny numbers: nothing of what follows means anything');
  if (postgres.settings.fsync !== 'on' || postgres.settings.synchronous_commit !== 'on') {
    print('WARNING     the server does not wait for the disk: nothing here compares with a durable one');
  }
  if (machine.load > machine.cores / 2) {
    print(`WARNING     the machine is busy (load ${machine.load.toFixed(1)}): of what follows only CPU per operation means something`);
  }
}
