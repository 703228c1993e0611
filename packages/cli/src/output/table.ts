/** Tables without lines, for people. Every text is made safe here. */
import Table from 'cli-table3';
import { safe } from '../text/safe.js';
import type { Colour, Colours } from './colours.js';

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

export type Row = readonly (Cell | string)[];

/** Pairs of a name and a value; null values are not shown. */
export type Fields = readonly (readonly [string, Cell | string | null])[];

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Cut where the table would be wider than the terminal; at most one column. */
  readonly gives?: true;
}

export interface Layout {
  readonly colours: Colours;
  /** The width of the terminal, in characters; null: no bound. */
  readonly width: number | null;
}

const GAP = 2;
const LEAST_WIDTH = 12;
const NO_LINES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
};

/** The table with a line of titles, without a line feed at its end. */
export function renderTable(columns: readonly Column[], rows: readonly Row[], { colours, width }: Layout): string {
  const cells = rows.map((row) => row.map(toSafe));
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    colAligns: columns.map((column) => column.align ?? 'left'),
    colWidths: columnWidths(columns, cells, width),
    wordWrap: false,
  });
  table.push(columns.map((column) => colours.dim(column.title)));
  for (const row of cells) table.push(row.map((cell) => coloured(cell, colours)));
  return table.toString().split('\n').map((line) => line.trimEnd()).join('\n');
}

/** How items become rows of a table; `now` is in milliseconds. */
export interface TableStyle<Item> {
  readonly columns: readonly Column[];
  readonly rowOf: (item: Item, now: number) => Row;
}

/** The table of `items`, as by renderTable(). */
export function tableOf<Item>(items: readonly Item[], { columns, rowOf }: TableStyle<Item>, layout: Layout): string {
  const now = Date.now();
  return renderTable(columns, items.map((item) => rowOf(item, now)), layout);
}

/** The fields, one a line, without a line feed at the end. */
export function renderFields(fields: Fields, colours: Colours): string {
  const shown = fields.filter((field): field is readonly [string, Cell | string] => field[1] !== null);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => {
    const text = coloured(toSafe(value), colours);
    return `${colours.dim(name.padEnd(width))}${' '.repeat(GAP)}${text}`;
  }).join('\n');
}

function toSafe(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: safe(cell) } : { ...cell, text: safe(cell.text) };
}

function coloured({ text, colour }: Cell, colours: Colours): string {
  return colour === undefined ? text : colours[colour](text);
}

/** The width of each column; null: as wide as its widest cell. */
function columnWidths(columns: readonly Column[], cells: readonly (readonly Cell[])[], width: number | null): (number | null)[] {
  const giving = columns.findIndex((column) => column.gives === true);
  if (width === null || giving < 0) return columns.map(() => null);
  const widest = (column: Column, n: number): number =>
    cells.reduce((most, row) => Math.max(most, row[n]?.text.length ?? 0), column.title.length);
  const natural = columns.map((column, n) => widest(column, n) + GAP);
  const over = natural.reduce((sum, one) => sum + one, 0) - GAP - width;
  const given = Math.max(LEAST_WIDTH, (natural[giving] ?? 0) - over);
  return columns.map((_column, n) => (n === giving && over > 0 ? given : null));
}
