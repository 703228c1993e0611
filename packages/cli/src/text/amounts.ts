/** Numbers for people: how many, and how much. */

/** A number with commas: `10,000`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number of things: `1 task`, `10,000 tasks`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** A size: `512 B`, `1.5 KiB`, `20.0 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(units.length - 1, value < 1024 ? 0 : Math.floor(Math.log2(value) / 10));
  return `${unit === 0 ? String(value) : (value / 1024 ** unit).toFixed(1)} ${units[unit] ?? ''}`;
}
