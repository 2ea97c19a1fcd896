export type Cell = string | number;

/** Lines of aligned columns; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const all = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? grouped(cell) : cell)),
  );
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const right = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  return all.map((row) =>
    row
      .map((cell, column) =>
        right[column] === true
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** A line of a table whose rows come as a stream: it has no widest row, so the columns' widths are given. */
export function columns(widths: readonly number[], cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
}

/** 1234567.89 as 1,234,567.9. Without `Intl`, whose data take 10 ms to load. */
export function grouped(number: number): string {
  const [whole = '', fraction = '0'] = number.toFixed(1).split('.');
  return `${whole.replace(/\B(?=(?:\d{3})+$)/g, ',')}${fraction === '0' ? '' : `.${fraction}`}`;
}

/** A number of bytes in the unit a person would choose. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${grouped(bytes / 1024 ** power)} ${units[power]}`;
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
