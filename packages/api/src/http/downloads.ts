/** The headers of downloads: ranges (RFC 9110, section 14, of which one is taken), entity tags, names of files (RFC 6266). */
import type { ByteRange } from '../artifacts/store.js';

/**
 * What to send of `size` bytes: everything where there is no header, where it is about something else than one range of
 * bytes, or where it is not well formed; null where the range holds none of the bytes.
 */
export function rangeOf(header: string | undefined, size: number): { range: ByteRange; partial: boolean } | null {
  const [, from = '', to = ''] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '') ?? [];
  const whole = { range: { first: 0, last: size - 1 }, partial: false };
  if (from === '' && to === '') return whole;
  if (from !== '' && to !== '' && Number(from) > Number(to)) return whole;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first >= size ? null : { range: { first, last }, partial: true };
}

/** Whether a list of entity tags (If-None-Match) names `etag`, or any. */
export function namesTag(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
}

/** The Content-Disposition of a file: the last part of its name, in ASCII for old readers and whole (RFC 8187) for others. */
export function attachment(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const plain = last.replace(/[^ -~]|["\\%]/gu, '_');
  const whole = encodeURIComponent(last).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"${plain === last ? '' : `; filename*=UTF-8''${whole}`}`;
}
