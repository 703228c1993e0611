/** What a command answers: JSON for programs, or tables and fields for people. */
import { renderFields, tableOf, type Fields, type TableStyle } from './table.js';
import type { Terminal } from './terminal.js';

/** Where an answer goes, and in which form. */
export interface Output {
  readonly json: boolean;
  readonly terminal: Terminal;
}

export interface ListStyle<Item> extends TableStyle<Item> {
  /** Said to people where the list is empty. */
  readonly none: string;
}

/** Shows a list: a line of JSON for each item, or a table. */
export async function showList<Item>({ json, terminal }: Output, items: readonly Item[], style: ListStyle<Item>): Promise<void> {
  if (json) for (const item of items) await terminal.jsonLine(item);
  else if (items.length > 0) await terminal.rendered(tableOf(items, style, terminal.layout));
  else terminal.note(style.none);
}

/** Shows one thing: all of it as JSON, or its fields. */
export async function showFields({ json, terminal }: Output, thing: unknown, fields: Fields): Promise<void> {
  if (json) await terminal.json(thing);
  else await terminal.rendered(renderFields(fields, terminal.colours));
}

/** Shows what was created: all of it as JSON, or its id. */
export async function showCreated({ json, terminal }: Output, created: { readonly id: string }): Promise<void> {
  if (json) await terminal.json(created);
  else await terminal.line(created.id);
}
