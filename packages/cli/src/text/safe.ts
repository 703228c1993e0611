/**
 * Makes what came from the server or a file safe to show: a log line may hold escapes that move the cursor, change colours, set the
 * title or turn the direction of the text around. All of them are shown as they would be written in JSON.
 */

// C0 and C1 controls, DEL, line and paragraph separators, the marks and overrides of direction, invisible format characters.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  return SHORT[character] ?? inHex(character);
}

function inHex(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `text` in one line. */
export function safe(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** `text` in its lines, each of them safe; tabs stay. */
export function safeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.split('\t').map(safe).join('\t'));
}

/** `json` with the same meaning, and nothing in it that a terminal would act on: JSON itself leaves some of it as it is. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === '\n' ? character : inHex(character)));
}
