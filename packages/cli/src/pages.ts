/** Lists that the API gives in pages. */
import { defined } from './defined.js';

/** Everything in a list: `readPage` reads a page, the first or that after a cursor, and `itemsOf` takes out what it lists. */
export async function allOf<Page extends { readonly next_cursor: string | null }, Item>(
  readPage: (after: { cursor?: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): Promise<Item[]> {
  const all: Item[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page = await readPage(defined({ cursor }));
    all.push(...itemsOf(page));
    cursor = page.next_cursor;
  }
  return all;
}
