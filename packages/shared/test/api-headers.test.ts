import { expect } from 'chai';
import { parseApiHeaders } from '../src/index.js';

describe('the headers of every call', () => {
  it('are read one a line', () => {
    const text = 'Authorization: Bearer a:b, c==\r\n\n  X-Team:\tred \nx-empty-lines-are-none: 1\n';
    expect(parseApiHeaders(text)).to.deep.equal({
      headers: { authorization: 'Bearer a:b, c==', 'x-team': 'red', 'x-empty-lines-are-none': '1' }, mistakes: [],
    });
    expect(parseApiHeaders('')).to.deep.equal({ headers: {}, mistakes: [] });
  });

  const SECRET = 's3cret';
  const WRONG: [string, RegExp][] = [
    [SECRET, /must be "Name: value"/],
    [`Bearer ${SECRET}: x`, /must be "Name: value"/],
    [`: ${SECRET}`, /must be "Name: value"/],
    [`Name : ${SECRET}`, /must be "Name: value"/],
    ['X-Token:', /must have a value/],
    [`X-Token: ${SECRET}\rX-Other: 1`, /must have a value of visible ASCII/],
    [`X-Token: ${SECRET}\u0000`, /must have a value of visible ASCII/],
    [`X-Token: ${SECRET}é`, /must have a value of visible ASCII/],
    ...['Host', 'Content-Type', 'content-length', 'Connection', 'Worker-Session', 'Task-Attempt', 'Idempotency-Key', 'Transfer-Encoding', 'Accept', 'Accept-Encoding', 'If-Match', '__proto__', 'Range']
      .map((name): [string, RegExp] => [`${name}: ${SECRET}`, new RegExp(`must not be ${name}`)]),
    [`X-Twice: 1\nx-tWICE: ${SECRET}`, /^header 2 is there twice$/],
  ];
  for (const [text, mistake] of WRONG) {
    it(`are refused without their values: ${JSON.stringify(text)}`, () => {
      const { mistakes } = parseApiHeaders(text);
      expect(mistakes).to.have.length(1);
      expect(mistakes[0]).to.match(mistake).and.not.contain(SECRET);
    });
  }
});
