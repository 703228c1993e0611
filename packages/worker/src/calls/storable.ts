/** Text and JSON that the API will store: it refuses what would not come back as it was sent. */
import { LIMITS } from '@task-executor/shared';

/** `text` without NUL and lone surrogates. */
export function mended(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}

/** `text` mended, and of at most `maxChars` characters; where something is cut off, `mark` is at its end. */
export function storableText(text: string, maxChars: number, mark = ''): string {
  const whole = mended(text);
  return whole.length <= maxChars ? whole : `${whole.slice(0, maxChars - mark.length).toWellFormed()}${mark}`;
}

/** `context` where it can be stored as it is, else the same as text. */
export function storableContext(context: Record<string, unknown>): Record<string, unknown> {
  let text: string;
  try {
    text = JSON.stringify(context);
  } catch (error) {
    return { not_json: String(error) };
  }
  return isStorable(JSON.parse(text)) ? context : { not_storable: mended(text) };
}

/** Whether the API would store `value`, a value of JSON, unchanged. */
function isStorable(root: unknown): boolean {
  const open = [{ value: root, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (++nodes > LIMITS.maxJsonNodes / 10) return false;
    if (typeof value === 'string' && mended(value) !== value) return false;
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return false;
    if (typeof value !== 'object' || value === null) continue;
    // A context lies within an entry, a list and the body.
    if (depth > LIMITS.maxJsonDepth - 3) return false;
    for (const [key, child] of Object.entries(value)) {
      if (key === '__proto__' || mended(key) !== key) return false;
      open.push({ value: child, depth: depth + 1 });
    }
  }
  return true;
}

/** How many values there are in `root`, itself among them, as the API counts them. */
export function valuesIn(root: unknown): number {
  const open = [root];
  let values = 0;
  for (; open.length > 0; values++) {
    const value = open.pop();
    if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) open.push(child);
  }
  return values;
}
