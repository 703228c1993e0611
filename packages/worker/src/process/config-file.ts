/** A configuration file: YAML, its keys the names of the options, its values plain. What a value may be is for config.ts to say. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Pair } from 'yaml';
import { SETTINGS, type SettingName } from './options.js';

export interface FileContent {
  readonly values: Partial<Record<SettingName, string>>;
  /** Each with its line. */
  readonly mistakes: readonly string[];
}

export function readConfigFile(path: string): FileContent {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    return { values: {}, mistakes: [`the configuration ${path} cannot be read: ${(error as Error).message}`] };
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const at = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line}`;
  if (document.errors.length > 0) {
    return { values: {}, mistakes: document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0] ?? ''}`) };
  }
  const top = document.contents;
  if (top === null) return { values: {}, mistakes: [] };
  if (!isMap(top)) return { values: {}, mistakes: [`${at(0)}: the configuration must be keys and values`] };

  const values: Partial<Record<SettingName, string>> = {};
  const mistakes: string[] = [];
  for (const pair of top.items as Pair[]) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const where = at(isScalar(pair.key) ? pair.key.range?.[0] : undefined);
    const setting = SETTINGS.find(([name, { option }]) => name !== 'WORKER_CONFIG' && option === `--${key}`);
    const value = textOf(pair.value, setting?.[1].lines === true ? '\n' : ',');
    if (setting === undefined) mistakes.push(`${where}: there is no setting "${key}"`);
    else if (value === null) mistakes.push(`${where}: ${key} must be a plain value, or a list of them`);
    else values[setting[0]] = setting[1].path === true && value !== '' ? resolve(dirname(path), value) : value;
  }
  return { values, mistakes };
}

/** A plain value as text, those of a list with `separator` between them; null for anything else. */
function textOf(node: unknown, separator: string): string | null {
  if (node === null) return '';
  if (isScalar(node)) {
    const { value } = node;
    if (value === null) return '';
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  }
  if (!isSeq(node)) return null;
  const words = node.items.map((item) => textOf(item, separator));
  return words.includes(null) ? null : words.join(separator);
}
