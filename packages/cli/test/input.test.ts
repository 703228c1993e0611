/** What people type: parameters, durations, moments, files, addresses. */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { inspect, chunksOf } from '../src/batch-file.js';
import { contextsPath, readContexts, resolveAddress, writeContexts } from '../src/contexts.js';
import { readObject } from '../src/input/documents.js';
import { parseDuration, parseMoment, parseTime, parseWholeSeconds } from '../src/input/duration.js';
import { splitLines } from '../src/input/lines.js';
import { parseParameter, typed, withParameters, type Parameter } from '../src/input/parameters.js';
import { chosen, labelled, parseApiUrl, wholeNumber } from '../src/input/values.js';
import { pathFor } from '../src/download.js';

let folder: string;

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => expect.fail('it did not fail'), (error: unknown) => (error as Error).message);
}

describe('what people type', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-cli-'));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  describe('parameters', () => {
    const parse = (...texts: string[]): Record<string, unknown> =>
      withParameters({}, texts.reduce<Parameter[]>((before, text) => parseParameter(text, before), []));

    it('are JSON where they parse as JSON, and text else', () => {
      expect(parse('n=30', 'x=0.5', 't=true', 'z=null', 'o={"a":[1]}', 's=small', 'q="007"', 'e=', 'u=a=b')).to.deep.equal({
        n: 30, x: 0.5, t: true, z: null, o: { a: [1] }, s: 'small', q: '007', e: '', u: 'a=b',
      });
    });

    it('stay text where a number would be rounded', () => {
      for (const text of ['9007199254740993', '1e400']) expect(typed(text)).to.equal(text);
      expect(typed('9007199254740991')).to.equal(9007199254740991);
    });

    it('go inside with dots, on top of what a file said', () => {
      const base = { agent: { model: 'small', temperature: 0 } };
      expect(withParameters(base, parseParameter('agent.model=large', parseParameter('a\\.b.c=1', undefined)))).to.deep.equal({
        agent: { model: 'large', temperature: 0 }, 'a.b': { c: 1 },
      });
      expect(base.agent.model).to.equal('small');
    });

    it('are refused where they contradict each other or make no sense', () => {
      for (const texts of [['a=1', 'a=2'], ['a=1', 'a.b=2'], ['=1'], ['a'], ['a..b=1'], ['__proto__.x=1'], ['a.__proto__=1']]) {
        expect(() => parse(...texts), texts.join(' ')).to.throw();
      }
      expect(parse('constructor.x=1')).to.deep.equal({ constructor: { x: 1 } });
    });

    it('come from YAML or JSON files, and only from those', async () => {
      expect(await readObject(await fileOf('p.yaml', 'a: 1\nb: [x]\n'))).to.deep.equal({ a: 1, b: ['x'] });
      expect(await readObject(await fileOf('p.json', '{"a": {"b": null}}'))).to.deep.equal({ a: { b: null } });
      expect(await failure(readObject(await fileOf('p.txt', 'only text')))).to.contain('holds no object');
      expect(await failure(readObject(await fileOf('bad.yaml', 'a: [1')))).to.contain('bad.yaml is neither JSON nor YAML');
      expect(await failure(readObject(await fileOf('inf.yaml', 'a: [{b: .inf}]')))).to.contain('a number that JSON cannot hold');
      expect(await failure(readObject(join(folder, 'none')))).to.contain('cannot be read');
      const many = Array.from({ length: 200_000 }, (_, n) => n);
      expect(await readObject(await fileOf('many.json', JSON.stringify({ many })))).to.deep.equal({ many });
    });
  });

  describe('options', () => {
    it('are durations', () => {
      const durations = ['90', '90s', '30m', '1h30m', '2d', '1 h 5 min', '250ms', '1.5h'].map(parseDuration);
      expect(durations).to.deep.equal([90, 90, 1800, 5400, 172_800, 3_900, 0.25, 5400]);
      for (const text of ['', 'x', '5x', '-1', '1h x', 's']) expect(() => parseDuration(text), text).to.throw('duration');
      expect(() => parseWholeSeconds('0.5')).to.throw('whole seconds');
    });

    it('are moments, also as how long ago', () => {
      expect(parseTime('2026-01-06T02:00:00+01:00')).to.equal('2026-01-06T01:00:00.000Z');
      expect(parseTime('2026-01-06')).to.equal(new Date(2026, 0, 6).toISOString());
      for (const text of ['tomorrow', '2026-13-01', '12']) expect(() => parseTime(text), text).to.throw('time');
      const earliest = Date.now() - 3_600_000;
      expect(Date.parse(parseMoment('1h'))).to.be.within(earliest, Date.now() - 3_600_000);
    });

    it('are numbers, words, labels and addresses within their bounds', () => {
      expect(wholeNumber(1, 5)('3')).to.equal(3);
      for (const text of ['0', '6', '1.5', 'x', '']) expect(() => wholeNumber(1, 5)(text), text).to.throw('from 1 to 5');
      expect(chosen(['a', 'b'])('a, b', ['b'])).to.deep.equal(['b', 'a', 'b']);
      expect(() => chosen(['a', 'b'])('a,c', undefined)).to.throw('"c" is none of a, b');
      expect(labelled('suite=a=b', { team: 'red' })).to.deep.equal({ team: 'red', suite: 'a=b' });
      expect(() => labelled('=x', undefined)).to.throw('KEY=VALUE');
      expect(parseApiUrl('http://h:1/base/')).to.equal('http://h:1/base');
      for (const url of ['h:1', 'ftp://h', 'http://u:p@h', 'http://h?x']) expect(() => parseApiUrl(url), url).to.throw();
    });
  });

  describe('lines', () => {
    it('are the same however the bytes come in pieces', async () => {
      await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\n') })), async (pieces) => {
        const lines: string[] = [];
        const source = (async function* (): AsyncGenerator<Buffer> {
          for (const piece of pieces) yield Promise.resolve(Buffer.from(piece));
        })();
        for await (const line of splitLines(source, 1_000)) lines.push(line.toString());
        const expected = pieces.join('').split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(lines).to.deep.equal(expected);
      }));
    });
  });

  describe('a batch file', () => {
    const tasks = (n: number): string => Array.from({ length: n }, (_, i) => `{"problem_id":"test-a","parameters":{"i":${i}}}\n`).join('');

    it('gives every line a key, of its own or of its batch and number', async () => {
      const path = await fileOf('keys.jsonl', '{"problem_id":"a"}\n\n{"problem_id":"b","idempotency_key":"mine","labels":{"x":"line"}}');
      const file = await inspect(path, 'keys.jsonl', undefined);
      const chunks = [];
      for await (const chunk of chunksOf(file, { x: 'all', y: 'all' })) chunks.push(chunk);
      expect(file.tasks).to.equal(2);
      expect(chunks).to.deep.equal([{
        lines: [1, 3],
        items: [
          { problem_id: 'a', labels: { x: 'all', y: 'all' }, idempotency_key: `${file.id}:1` },
          { problem_id: 'b', labels: { x: 'line', y: 'all' }, idempotency_key: 'mine' },
        ],
      }]);
    });

    it('leaves labels that are none for the API to refuse', async () => {
      const labels = ['["a"]', '"a"', 'null'];
      const path = await fileOf('labels.jsonl', labels.map((one) => `{"problem_id":"a","labels":${one}}`).join('\n'));
      for await (const { items } of chunksOf(await inspect(path, '', undefined), { x: 'all' })) {
        expect(items.map((item) => JSON.stringify(item.labels))).to.deep.equal(labels);
      }
    });

    it('has an id that goes by its content, unless it is given', async () => {
      const one = await inspect(await fileOf('one.jsonl', tasks(3)), '', undefined);
      const same = await inspect(await fileOf('same.jsonl', tasks(3)), '', undefined);
      const other = await inspect(await fileOf('other.jsonl', tasks(4)), '', undefined);
      expect(one.id).to.equal(same.id).and.not.equal(other.id);
      expect((await inspect(one.path, '', 'mine')).id).to.equal('mine');
    });

    it('comes in pieces that the API takes', async () => {
      const large = `{"problem_id":"test-a","parameters":{"x":"${'x'.repeat(900_000)}"}}\n`;
      const path = await fileOf('many.jsonl', `${tasks(2_500)}${large.repeat(3)}`);
      const sizes: number[] = [];
      for await (const { items } of chunksOf(await inspect(path, '', undefined), {})) {
        sizes.push(items.length);
        expect(Buffer.byteLength(JSON.stringify({ tasks: items }))).to.be.below(16 * 1024 * 1024);
      }
      expect(sizes).to.deep.equal([1_000, 1_000, 502, 1]);
    });

    it('is not submitted to its end where it changes meanwhile', async () => {
      const kinds: [string, (path: string) => Promise<void>][] = [
        ['longer', (path) => appendFile(path, tasks(1))],
        ['shorter', (path) => writeFile(path, tasks(2))],
        ['empty', (path) => writeFile(path, '')],
        ['no JSON', (path) => writeFile(path, `${tasks(2)}{`)],
        ['no task', (path) => writeFile(path, `${tasks(2)}null`)],
      ];
      for (const [kind, change] of kinds) {
        const path = await fileOf('changing.jsonl', tasks(3));
        const file = await inspect(path, 'changing.jsonl', 'mine');
        await change(path);
        const message = await failure((async () => {
          for await (const { items } of chunksOf(file, {})) expect(items, kind).to.have.length(3);
        })());
        expect(message, kind).to.contain('changing.jsonl changed').and.contain('--batch-id mine');
      }
    });

    it('is refused as a whole, with every line that is wrong', async () => {
      const keyed = '{"problem_id":"b","idempotency_key":"k"}';
      const wrong = await fileOf('wrong.jsonl', ['{"problem_id":"a"}', 'x', '{}', keyed, keyed, '[1]'].join('\n'));
      const message = await failure(inspect(wrong, 'wrong.jsonl', undefined));
      expect(message.split('\n').map((line) => line.slice(0, 7))).to.deep.equal(['Nothing', 'Line 2:', 'Line 3:', 'Line 5:', 'Line 6:']);
      const infinite = await fileOf('big.jsonl', '{"problem_id":"a","parameters":{"x":1e999}}');
      expect(await failure(inspect(infinite, 'big.jsonl', undefined))).to.contain('number that JSON cannot hold');
      expect(await failure(inspect(await fileOf('empty.jsonl', '\n\n'), 'empty.jsonl', undefined))).to.contain('holds no task');
      await writeFile(join(folder, 'latin.jsonl'), Buffer.from([0x7b, 0xe9, 0x7d]));
      expect(await failure(inspect(join(folder, 'latin.jsonl'), 'stdin', undefined))).to.equal('Line 1 of stdin is not UTF-8.');
    });
  });

  describe('contexts', () => {
    it('are kept in a file of the user, and given up for what is nearer', async () => {
      const home = { XDG_CONFIG_HOME: join(folder, 'config') };
      const path = contextsPath(home);
      expect(await readContexts(path)).to.deep.equal({ current: null, urls: {} });
      expect(await resolveAddress({}, home)).to.deep.equal({ url: 'http://127.0.0.1:8000', from: 'the default' });
      await writeContexts(path, { current: 'lab', urls: { lab: 'http://lab:1', other: 'http://other:1' } });
      expect(await readContexts(path)).to.deep.equal({ current: 'lab', urls: { lab: 'http://lab:1', other: 'http://other:1' } });
      const url = async (options: { apiUrl?: string; context?: string }, more: Record<string, string> = {}): Promise<string> =>
        (await resolveAddress(options, { ...home, ...more })).url;
      expect(await url({})).to.equal('http://lab:1');
      expect(await url({}, { TASK_EXECUTOR_PROFILE: 'other' })).to.equal('http://other:1');
      expect(await url({}, { TASK_EXECUTOR_PROFILE: 'other', TASK_EXECUTOR_URL: 'http://env:1' })).to.equal('http://env:1');
      expect(await url({ context: 'lab' }, { TASK_EXECUTOR_URL: 'http://env:1' })).to.equal('http://lab:1');
      expect(await url({ apiUrl: 'http://option:1', context: 'lab' })).to.equal('http://option:1');
      expect(await failure(url({ context: 'none' }))).to.contain('There is no context "none"');
      expect(await failure(url({}, { TASK_EXECUTOR_URL: 'x' }))).to.contain('TASK_EXECUTOR_URL is "x"');
    });

    it('are not read from a file that is broken', async () => {
      for (const text of ['{', '{"current": 1, "contexts": {}}', '{"current": null, "contexts": {"a": {"url": "x"}}}']) {
        expect(await failure(readContexts(await fileOf('broken.json', text))), text).to.contain('is not as it must be');
      }
    });

    it('are looked for in the home folder where XDG_CONFIG_HOME is no absolute path', () => {
      expect(contextsPath({ XDG_CONFIG_HOME: 'relative' })).to.equal(contextsPath({}));
    });
  });

  describe('names of downloads', () => {
    it('stay in their folder', () => {
      expect(pathFor('out', { name: 'report/index.html' })).to.equal(join('out', 'report', 'index.html'));
      for (const name of ['../x', 'a/../../x', '/etc/x', 'a//b', '.', 'a\\b']) {
        expect(() => pathFor('out', { name }), name).to.throw('no name for a file');
      }
    });
  });
});
