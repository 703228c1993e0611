/** Cursors: opaque to clients, checked when they come back. */
import { LIMITS } from '@task-executor/shared';

/** The id before all others. */
export const NIL_ID = '00000000-0000-0000-0000-000000000000';

/** Thrown for a cursor that this server did not make, or made for another list, other filters or another sort. */
export class CursorError extends Error {
  constructor(message = 'the cursor is not one of this list; begin without it') {
    super(message);
  }
}

export function encodeCursor(place: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The parts of a cursor, one of `lengths` many. @throws CursorError */
export function decodeCursor(cursor: string, ...lengths: readonly number[]): (string | number | null)[] {
  try {
    if (cursor.length > LIMITS.maxCursorChars) throw new CursorError();
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const parts = Array.isArray(place) ? (place as unknown[]) : [];
    const isPart = (part: unknown): boolean => part === null || typeof part === 'string' || Number.isSafeInteger(part);
    if (!lengths.includes(parts.length) || !parts.every(isPart)) throw new CursorError();
    return parts as (string | number | null)[];
  } catch {
    throw new CursorError('the cursor is not one of this server; begin without it');
  }
}

/** The id in a part of a cursor. @throws CursorError */
export function idIn(part: string | number | null | undefined): string {
  if (typeof part !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(part)) throw new CursorError();
  return part;
}
