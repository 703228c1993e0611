import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LIMITS } from '@task-executor/shared';
import { Catalog, CatalogError } from '../src/catalog/catalog.js';
import { checkCatalog } from '../src/catalog/catalog-check.js';
import { parseCatalog } from '../src/catalog/catalog-file.js';
import { SlotsOfCatalog } from '../src/executors/shared-slots.js';
import { errorOf, run } from './fixtures/executions.js';

function mistakes(text: string): string {
  try {
    parseCatalog(text, 'c.yaml');
  } catch (error) {
    if (error instanceof CatalogError) return error.message;
    throw error;
  }
  return 'none';
}

describe('catalog', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'catalog-test-'));
    path = join(folder, 'catalog.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));
  async function read(text: string): Promise<Catalog> {
    await writeFile(path, text);
    return Catalog.read(path);
  }

  it('finds the first entry that matches, of one glob or several', async () => {
    const catalog = await read('problems:\n  - match: [a-*, b]\n    command: [x]\n  - match: "*"\n    simulated: true\n');
    expect(catalog.problems).to.deep.equal(['a-*', 'b', '*']);
    expect(catalog.find('a-1')).to.equal(catalog.entries[0]);
    expect(catalog.find('b')).to.equal(catalog.entries[0]);
    expect(catalog.find('c')).to.equal(catalog.entries[1]);
    expect(Catalog.of(catalog.entries.slice(0, 1)).find('c')).to.equal(null);
  });

  it('may be JSON', async () => {
    expect((await read(JSON.stringify({ problems: [{ match: 'x', command: ['true'] }] }, null, 2))).problems).to.deep.equal(['x']);
    expect(mistakes('{\n  "problems": [\n    {"match": 5, "command": ["x"]}\n  ]\n}')).to.match(/^c\.yaml:3:15: \/problems\/0\/match /);
  });

  const wrong: [string, string, RegExp][] = [
    ['an empty command', 'problems:\n  - match: a\n    command: []\n', /^c\.yaml:3:14: \/problems\/0\/command /],
    ['no executor', 'problems:\n  - match: a\n', /^c\.yaml:2:5: \/problems\/0 must have one of command, module, http, container, simulated$/],
    ['two executors', 'problems:\n  - match: a\n    command: [x]\n    simulated: true\n', /^c\.yaml:2:5: .* not command and simulated$/],
    ['an unknown property, at its name', 'problems:\n  - match: a\n    command: [x]\n    shell: true\n', /^c\.yaml:4:5: .*\(shell\)$/],
    ['a name that is no variable', 'problems:\n  - match: a\n    command: [x]\n    environment:\n      a-b: x\n', /^c\.yaml:5:7: .*\(the name a-b\)$/],
    ['limits where they do not hold', 'problems:\n  - match: a\n    simulated: true\n    limits: {open_files: 5}\n', /limits do not hold for a simulated/],
    ['a container without an image', 'problems:\n  - match: a\n    container: {memory_mib: 64}\n', /^c\.yaml:3:16: .*image/],
    ['a service that is no URL', 'problems:\n  - match: a\n    http: {url: x}\n', /^c\.yaml:3:17: \/problems\/0\/http\/url /],
    ['YAML that does not end', 'problems: [\n', /^c\.yaml:2:1: /],
    ['a name given twice', 'problems: []\nproblems: []\n', /^c\.yaml:2:1: /],
    ['an alias that grows', `a: &a [x, x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]\n`, /^c\.yaml:1:1: /],
    ['nothing', '', /^c\.yaml:1:1: /],
  ];
  for (const [what, text, message] of wrong) {
    it(`points at ${what}`, () => {
      expect(mistakes(text)).to.match(message);
    });
  }

  it('reports all mistakes together', () => {
    const places = mistakes('problems:\n  - match: a\n    concurrency: 0\n    command: []\n  - match: b\n    command: [x]\n    simulated: true\n').split('\n').map((line) => line.split(' ')[0]);
    expect(places).to.deep.equal(['c.yaml:3:18:', 'c.yaml:4:14:', 'c.yaml:5:5:']);
  });

  it('keeps what it has where the file has become wrong, and takes it once it is right; what runs keeps its entry', async () => {
    const catalog = await read('problems:\n  - match: a\n    command: [echo, old]\n');
    const before = catalog.find('a')!;
    await writeFile(path, 'problems: []\n');
    const refused = await catalog.reload().then(() => null, (error: unknown) => error);
    expect(refused).to.be.instanceOf(CatalogError).and.have.property('message').match(/^.*:1:11: /);
    expect(catalog.find('a')).to.equal(before);
    await writeFile(path, 'problems:\n  - match: a\n    command: [echo, new]\n');
    await catalog.reload();
    expect((await run(before)).lines[0]?.message).to.equal('old');
    expect((await run(catalog.find('a')!)).lines[0]?.message).to.equal('new');
  });

  it('stays as it was where what would be taken is refused, and still counts what runs of it', async () => {
    const catalog = await read('problems:\n  - match: a\n    command: [sh, -c, "echo in; read line < gate; echo out"]\n    cwd: .\n    concurrency: 1\n');
    await run((await read('problems:\n  - match: b\n    command: [mkfifo, gate]\n    cwd: .\n')).find('b')!);
    const before = catalog.find('a')!;
    const text = 'problems:\n  - {match: c, command: [no-such-program-here], optional: true}\n  - {match: a, command: [echo, out], concurrency: 1}\n';
    await writeFile(path, text);
    const refused = await catalog.reload((next) => {
      expect([next.problems, next.omittedProblems]).to.deep.equal([['a'], ['c']]);
      throw new CatalogError('not these');
    }).then(() => null, (error: unknown) => error);
    expect(refused).to.be.instanceOf(CatalogError).and.have.property('message').equal('not these');
    expect([catalog.find('a'), catalog.problems, catalog.omittedProblems]).to.deep.equal([before, ['a'], []]);
    const order: string[] = [];
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const first = run(before, {}, ({ message }) => {
      order.push(`first ${message}`);
      begun();
    });
    await running;
    await catalog.reload();
    const second = run(catalog.find('a')!, {}, ({ message }) => order.push(`second ${message.slice(0, 7)}`));
    await writeFile(join(folder, 'gate'), '\n');
    await Promise.all([first, second]);
    expect(order).to.deep.equal(['first in', 'second waiting', 'first out', 'second out']);
  });

  it('counts what begins while it looks at what this host can run of the file', async () => {
    const entry = '  - match: a\n    command: [sh, -c, "echo in; read line < gate; echo out"]\n    cwd: .\n    concurrency: 1\n';
    const catalog = await read(`problems:\n${entry}`);
    await run((await read('problems:\n  - match: b\n    command: [mkfifo, gate]\n    cwd: .\n')).find('b')!);
    const order: string[] = [];
    let first: Promise<unknown> = Promise.resolve();
    const service = createServer((_request, response) => {
      first = run(catalog.find('a')!, {}, ({ message }) => {
        order.push(`first ${message}`);
        if (message === 'in') response.end();
      });
    }).listen(0, '127.0.0.1').unref();
    try {
      await once(service, 'listening');
      const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
      await writeFile(path, `problems:\n  - match: c\n    http: {url: "${url}", health_url: "${url}"}\n    optional: true\n${entry}`);
      await catalog.reload();
      expect(catalog.problems).to.deep.equal(['c', 'a']);
      const second = run(catalog.find('a')!, {}, ({ message }) => order.push(`second ${message.slice(0, 7)}`));
      await writeFile(join(folder, 'gate'), '\n');
      await first;
      await writeFile(join(folder, 'gate'), '\n');
      await second;
      expect(order).to.deep.equal(['first in', 'second waiting', 'first out', 'second in', 'second out']);
    } finally {
      service.close();
    }
  });

  it('leaves out optional entries that this host cannot run, and others not', async () => {
    const text = 'problems:\n  - {match: a, command: [no-such-program-here], optional: true}\n  - {match: b, command: [echo], optional: true}\n  - {match: a, command: [echo]}\n';
    const catalog = await read(text);
    expect(await catalog.omitUnrunnable()).to.deep.equal(['a: the command no-such-program-here could not be started: no such program can be run']);
    expect(catalog.problems).to.deep.equal(['b', 'a']);
    expect(await catalog.fault()).to.equal(null);
    expect(await catalog.reload()).to.have.length(1);
    expect(catalog.problems).to.deep.equal(['b', 'a']);
    const strict = await read(text.replace(', optional: true', ''));
    expect(await strict.omitUnrunnable()).to.deep.equal([]);
    expect(await strict.fault()).to.match(/no-such-program-here/);
  });

  it('starts paths from its own folder', async () => {
    await writeFile(join(folder, 'hello.sh'), '#!/bin/sh\necho "$(pwd) $1"\n', { mode: 0o755 });
    const catalog = await read('problems:\n  - match: a\n    command: [./hello.sh, ./x]\n    cwd: .\n');
    expect((await run(catalog.find('a')!)).lines[0]?.message).to.equal(`${folder} ${join(folder, 'x')}`);
  });

  describe('fitness', () => {
    const fault = async (text: string): Promise<string | null> => (await read(`${text}\nproblems:\n  - match: a\n    command: [echo]\n`)).fault();

    it('is what its command says, with its last words', async () => {
      expect(await fault('health: {command: [sh, -c, "exit 0"]}')).to.equal(null);
      expect(await fault('health: {command: [sh, -c, "echo the cluster is gone >&2; exit 3"]}')).to.equal('health: the command exited with code 3: the cluster is gone');
      expect(await fault('health: {command: [no-such-program-here]}')).to.match(/^health: .*could not be started/);
    });

    it('is not waited for too long', async () => {
      expect(await fault('health: {command: [sleep, "1000"], timeout_seconds: 0.1}')).to.match(/did not end within 0.1 seconds/);
    });

    it('needs a scratch folder with room', async () => {
      expect(await fault('scratch: {folder: /no/such/folder}')).to.match(/^scratch folders cannot be made/);
      expect(await fault('scratch: {min_free_mib: 16777216}')).to.match(/^the disk of .* has \d+ MiB left; scratch folders need 16777216$/);
    });

    it('asks once what several entries ask alike', async () => {
      const asked: string[] = [];
      const service = createServer(({ url, headers }, response) => {
        asked.push(`${url ?? ''} ${String(headers['x-user'] ?? '')}`);
        response.end();
      }).listen(0, '127.0.0.1').unref();
      await once(service, 'listening');
      const base = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
      const runtime = join(folder, 'runtime');
      await writeFile(runtime, `#!/bin/sh\necho "$1" >> ${folder}/asked\n`, { mode: 0o755 });
      const http = (path: string, user: string) => ({ match: '*', http: { url: base, health_url: base + path, headers: { 'X-User': user } }, optional: true });
      const container = (image: string) => ({ match: '*', container: { image, runtime }, optional: true });
      const catalog = await read(JSON.stringify({ problems: [http('/a', 'a'), http('/a', 'a'), http('/b', 'a'), http('/a', 'b'), container('x'), container('y')] }));
      try {
        await catalog.omitUnrunnable();
        expect(await catalog.fault()).to.equal(null);
        await checkCatalog(path);
      } finally {
        service.close();
      }
      const round = ['/a a', '/b a', '/a b'];
      expect(asked).to.deep.equal([...round, ...round, ...round]);
      expect(await readFile(join(folder, 'asked'), 'utf8')).to.equal('version\n'.repeat(3));
    });

    it('needs every program that it names', async () => {
      expect(await (await read('problems:\n  - match: a\n    command: [echo]\n    cleanup: [no-such-program-here]\n')).fault()).to.match(/no-such-program-here/);
      expect(await (await read('problems:\n  - match: a\n    command: [sh, ./missing.sh]\n')).fault()).to.match(/the script .*missing\.sh is not there/);
      expect(await (await read('problems:\n  - match: a\n    command: [echo]\n    prepare: [sh, -u, ./missing.sh]\n')).fault()).to.match(/missing\.sh is not there/);
      // Made by what runs before it, perhaps; or no script.
      expect(await (await read('problems:\n  - match: a\n    prepare: [mkdir, ./missing]\n    command: [sh, /missing/x.sh]\n')).fault()).to.equal(null);
      expect(await (await read('problems:\n  - match: a\n    module: ./missing.mjs\n')).fault()).to.match(/missing\.mjs is not there/);
      expect(await (await read('problems:\n  - match: a\n    container: {image: x, runtime: no-such-docker}\n')).fault()).to.match(/no-such-docker is not there/);
    });
  });

  describe('check', () => {
    it('warns of what this host lacks and of what is never reached', async () => {
      await writeFile(path, 'problems:\n  - match: [a-*, c?]\n    command: [no-such-program-here]\n  - match: [a-b*, c*, c1]\n    simulated: true\n');
      const { mistakes: found, warnings, problems } = await checkCatalog(path);
      expect(found).to.deep.equal([]);
      expect(problems).to.deep.equal(['a-*', 'c?', 'a-b*', 'c*', 'c1']);
      expect(warnings[0]).to.match(/:2:5: warning: a-\*, c\?: .*no-such-program-here/);
      expect(warnings.slice(1)).to.deep.equal(['a-b* is never reached: a-* comes first', 'c1 is never reached: c? comes first'].map((what) => `${path}:4:5: warning: ${what}`));
    });

    it('warns of what it lacks for all tasks, and runs nothing for that', async () => {
      const ran = join(folder, 'ran');
      await writeFile(path, `health: {command: [touch, ${ran}]}\nproblems:\n  - match: a\n    simulated: true\nscratch: {folder: ./none}\n`);
      const [warning = '', ...others] = (await checkCatalog(path)).warnings;
      expect(warning.slice(path.length)).to.match(/^:5:1: warning: scratch folders cannot be made/);
      expect(others).to.be.empty;
      await writeFile(path, 'problems:\n  - match: a\n    simulated: true\nhealth: {command: [sh, ./none.sh]}\n');
      expect((await checkCatalog(path)).warnings).to.deep.equal([`${path}:4:1: warning: health: the script ${join(folder, 'none.sh')} is not there, or cannot be read`]);
      expect(existsSync(ran)).to.equal(false);
    });

    it('warns of more problems than can be claimed', async () => {
      const globs = Array.from({ length: LIMITS.maxSupportedProblems + 1 }, (_, n) => `a${n}`);
      await writeFile(path, JSON.stringify({ problems: [globs.slice(1), globs[0]].map((match) => ({ match, simulated: true })) }));
      expect((await checkCatalog(path)).warnings).to.deep.equal([
        `${path}:1:1: warning: a worker can claim ${LIMITS.maxSupportedProblems} globs of problems; these are ${globs.length}; it starts only where --problems names fewer`,
      ]);
    });

    it('lists the mistakes of a file, and says where there is none', async () => {
      await writeFile(path, 'problems:\n  - match: a\n    command: []\n    concurrency: 0\n');
      expect((await checkCatalog(path)).mistakes).to.have.length(2);
      expect((await checkCatalog(join(folder, 'none.yaml'))).mistakes[0]).to.match(/cannot be read/);
    });

    it('finds the examples right', async () => {
      const { mistakes: found } = await checkCatalog(new URL('../../../examples/catalog.yaml', import.meta.url).pathname);
      expect(found).to.deep.equal([]);
    });
  });

  it('bounds how many of an entry run at once; who waits is let in, or stopped', async () => {
    const catalog = await read('problems:\n  - match: a\n    command: [sh, -c, "echo in; read line < gate; echo out"]\n    cwd: .\n    concurrency: 1\n');
    await run((await read('problems:\n  - match: a\n    command: [mkfifo, gate]\n    cwd: .\n')).find('a')!);
    const order: string[] = [];
    const entry = catalog.find('a')!;
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const first = run(entry, {}, ({ message }) => {
      order.push(`first ${message}`);
      begun();
    });
    await running;
    const stop = new AbortController();
    const waits = run(entry, {}, ({ message }) => order.push(`second ${message.slice(0, 7)}`), stop);
    const third = run(entry, {}, ({ message }) => order.push(`third ${message.slice(0, 7)}`));
    stop.abort();
    expect(errorOf((await waits).execution)).to.equal('stopped before it began');
    await writeFile(join(folder, 'gate'), '\n');
    await first;
    await writeFile(join(folder, 'gate'), '\n');
    await third;
    expect(order).to.deep.equal(['first in', 'second waiting', 'third waiting', 'first out', 'third in', 'third out']);
  });

  it('counts what still runs of an entry when it is read again, whatever its bound is then', async () => {
    const slots = new SlotsOfCatalog();
    const parse = (match: string, bound: string) => parseCatalog(`problems:\n  - match: ${match}\n    command: [sh, -c, "echo in; read line < gate; echo out"]\n    cwd: .\n${bound}`, path, slots);
    const [before] = parse('a', '').entries;
    await run((await read('problems:\n  - match: a\n    command: [mkfifo, gate]\n    cwd: .\n')).find('a')!);
    const order: string[] = [];
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const first = run(before!, {}, ({ message }) => {
      order.push(`first ${message}`);
      begun();
    });
    await running;
    const [after] = parse('[b, a]', '    concurrency: 1\n').entries;
    const second = run(after!, {}, ({ message }) => order.push(`second ${message.slice(0, 7)}`));
    await writeFile(join(folder, 'gate'), '\n');
    await first;
    await writeFile(join(folder, 'gate'), '\n');
    await second;
    expect(order).to.deep.equal(['first in', 'second waiting', 'first out', 'second in', 'second out']);
  });

  it('bounds how long an entry runs', async () => {
    const catalog = await read('problems:\n  - match: a\n    command: [sleep, "1000"]\n    timeout_seconds: 0.2\n');
    expect(errorOf((await run(catalog.find('a')!)).execution)).to.match(/^stopped after 0.2 seconds/);
  });
});
