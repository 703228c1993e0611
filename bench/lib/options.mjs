/** The command line: `--full`, `--only NAME`, `--peers`, `--seconds N`, `--repeats N`, `--json FILE`, `--smoke`. */
import { parseArgs } from 'node:util';
import { Failure } from '../../scripts/lib/run.mjs';
import { SIZES } from './sizes.mjs';

export const USAGE = `Usage: npm run bench -- [options]

  --full         millions of tasks instead of a hundred thousand; takes an hour or more
  --only NAME    only the scenarios whose name holds NAME; may be repeated
  --peers        other queues on PostgreSQL too, in the same run (installs them in bench/peers)
  --seconds N    how long a load lasts
  --repeats N    how often each contender takes its turn
  --json FILE    write everything that was measured there
  --smoke        tiny numbers: shows that the benchmark works, measures nothing
  --list         name the scenarios and end`;

/** @throws Failure for what it does not understand */
export function readOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: {
      full: { type: 'boolean', default: false }, smoke: { type: 'boolean', default: false }, peers: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] }, seconds: { type: 'string' }, repeats: { type: 'string' }, json: { type: 'string' },
    } }));
  } catch (error) {
    throw new Failure(`${error.message}\n\n${USAGE}`);
  }
  const mode = values.smoke ? 'smoke' : values.full ? 'full' : 'short';
  const sizes = { ...SIZES[mode] };
  if (values.seconds !== undefined) sizes.seconds = positive('--seconds', values.seconds, false);
  if (values.repeats !== undefined) sizes.repeats = positive('--repeats', values.repeats, true);
  return { mode, sizes, only: values.only, peers: values.peers, json: values.json ?? null, list: values.list, help: values.help };
}

function positive(name, text, whole) {
  const value = Number(text);
  if (!(value > 0) || (whole && !Number.isInteger(value))) throw new Failure(`${name} takes a positive ${whole ? 'whole ' : ''}number, not "${text}".`);
  return value;
}
