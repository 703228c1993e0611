/** What people see: texts made safe, times, tables, log lines. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createColours, wantsColours } from '../src/output/colours.js';
import { renderLogLine } from '../src/output/log-lines.js';
import { renderFields, renderTable } from '../src/output/table.js';
import { sayProgress } from '../src/output/tasks.js';
import { bytes, counted } from '../src/text/amounts.js';
import { safe, safeJson, safeLines } from '../src/text/safe.js';
import { ago, duration, lasted, relative } from '../src/text/time.js';

const plain = { colours: createColours(false), width: null };

describe('safe texts', () => {
  it('show what a terminal would act on', () => {
    expect(safe('a\u001b[31mb')).to.equal('a\\u001b[31mb');
    expect(safe('\u009b31m')).to.equal('\\u009b31m');
    expect(safe('one\r\ntwo\tthree')).to.equal('one\\r\\ntwo\\tthree');
    expect(safe('user\u202egnp.exe')).to.equal('user\\u202egnp.exe');
    expect(safe('\ud800 alone')).to.equal('\\ud800 alone');
  });

  it('leave everything else as it is', () => {
    expect(safe('naïve — 模型 🙂 (ok)')).to.equal('naïve — 模型 🙂 (ok)');
  });

  it('never hold a control character, and in JSON never another meaning', () => {
    const isControl = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) =>
      !isControl.test(safe(text)) && safeLines(text).every((line) => !isControl.test(line.replaceAll('\t', '')))));
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const json = safeJson(JSON.stringify(value, null, 2));
      expect(JSON.parse(json)).to.deep.equal(JSON.parse(JSON.stringify(value)));
      expect(json.replaceAll('\n', '')).to.not.match(isControl);
    }));
  });
});

describe('times', () => {
  const now = Date.parse('2026-01-05T09:00:00.000Z');
  const cases: [string, string][] = [
    ['2026-01-05T09:00:00.400Z', 'now'],
    ['2026-01-05T08:59:59.400Z', 'now'],
    ['2026-01-05T08:59:15.000Z', '45 s ago'],
    ['2026-01-05T08:57:00.000Z', '3 min ago'],
    ['2026-01-05T08:00:01.000Z', '59 min ago'],
    ['2026-01-05T04:00:00.000Z', '5 h ago'],
    ['2026-01-03T10:00:00.000Z', '47 h ago'],
    ['2026-01-02T09:00:00.000Z', '3 days ago'],
    ['2026-01-05T09:00:30.000Z', 'in 30 s'],
    ['2026-01-06T02:00:00.000Z', 'in 17 h'],
  ];
  for (const [moment, text] of cases) it(`${moment} is ${text}`, () => {
    expect(relative(moment, now)).to.equal(text);
  });

  it('take what has happened for now where the clocks differ', () => {
    expect(ago('2026-01-05T09:00:30.000Z', now)).to.equal('now');
    expect(ago(null, now)).to.equal('-');
  });

  it('say how long something lasted', () => {
    expect([0, 0.45, 59.99, 65, 3_661, 100_000, 273_600].map(duration)).to.deep.equal([
      '0.0 s', '0.4 s', '59.9 s', '1 min 05 s', '1 h 01 min', '27 h 46 min', '3 days 4 h',
    ]);
    expect(lasted('2026-01-05T08:59:00.000Z', null, now)).to.equal('1 min 00 s');
    expect(lasted(null, null, now)).to.equal('-');
  });

  it('say how many and how much', () => {
    expect([counted(1, 'task'), counted(10_000, 'task')]).to.deep.equal(['1 task', '10,000 tasks']);
    expect([0, 1023, 1024, 1_572_864, 5 * 1024 ** 3].map(bytes)).to.deep.equal(['0 B', '1023 B', '1.0 KiB', '1.5 MiB', '5.0 GiB']);
    const progress = { attempt: 1, step: 3, total: 30, message: 'reading', metrics: { tokens: 1823, cost_usd: 0.031 }, updated_at: '' };
    expect(sayProgress(progress)).to.equal('step 3 of 30, reading (tokens 1,823, cost_usd 0.031)');
    expect(sayProgress({ ...progress, step: null, message: null, metrics: {} })).to.equal('');
  });
});

describe('tables', () => {
  it('have columns as wide as what is in them, and no spaces at the ends of lines', () => {
    const columns = [{ title: 'ID' }, { title: 'TASKS', align: 'right' as const }, { title: 'NAME' }];
    const table = renderTable(columns, [['a', '1', 'x'], ['bbbb', '20', '']], plain);
    expect(table.split('\n')).to.deep.equal(['ID    TASKS  NAME', 'a         1  x', 'bbbb     20']);
  });

  it('cut the column that gives way where the terminal is narrow', () => {
    const rows = [['0123456789', 'it did not work, for many reasons']];
    const table = renderTable([{ title: 'ID' }, { title: 'ERROR', gives: true }], rows, { ...plain, width: 30 });
    for (const line of table.split('\n')) expect(line.length).to.be.at.most(30);
    expect(table).to.contain('0123456789').and.contain('…');
  });

  it('show escapes safe, and colour what is coloured', () => {
    const colours = createColours(true);
    const row = [{ text: '\u001b[2Jx', colour: 'red' as const }];
    expect(renderTable([{ title: 'A' }], [row], plain)).to.equal('A\n\\u001b[2Jx');
    expect(renderTable([{ title: 'A' }], [row], { ...plain, colours })).to.contain(colours.red('\\u001b[2Jx'));
    expect(renderFields([['name', 'a\nb'], ['gone', null]], plain.colours)).to.equal('name  a\\nb');
  });
});

describe('log lines', () => {
  const line = {
    id: 1, task_id: '', attempt: 1, timestamp: '2026-01-05T09:00:00.320Z', level: 'info' as const, message: 'step 1', context: { step: 1 },
  };

  it('have time, level, message and context', () => {
    expect(renderLogLine(line, plain.colours)).to.equal('09:00:00.320 info     step 1 {"step":1}\n');
  });

  it('set in the further lines of a message, so that none looks like one of its own', () => {
    const text = renderLogLine({ ...line, message: 'one\n09:00:00.320 info     forged\u001b[1A', context: null }, plain.colours);
    expect(text.split('\n')).to.deep.equal(['09:00:00.320 info     one', `${' '.repeat(22)}09:00:00.320 info     forged\\u001b[1A`, '']);
  });
});

describe('colours', () => {
  const cases: [boolean | undefined, Record<string, string>, boolean, boolean][] = [
    [undefined, {}, true, true],
    [undefined, {}, false, false],
    [undefined, { NO_COLOR: '1' }, true, false],
    [undefined, { NO_COLOR: '' }, true, true],
    [undefined, { FORCE_COLOR: '1' }, false, true],
    [undefined, { FORCE_COLOR: '0' }, true, false],
    [undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [undefined, { TERM: 'dumb' }, true, false],
    [true, { NO_COLOR: '1' }, false, true],
    [false, { FORCE_COLOR: '1' }, true, false],
  ];
  for (const [option, environment, isTTY, wanted] of cases) {
    it(`${wanted ? 'are' : 'are not'} wanted with ${JSON.stringify({ option, ...environment, isTTY })}`, () => {
      expect(wantsColours(option, environment, { isTTY })).to.equal(wanted);
    });
  }
});
