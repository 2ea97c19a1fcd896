/** A line that is longer ends the reading with the error that `tooLong` returns. */
export interface LineLimit {
  readonly mostChars: number;
  readonly tooLong: () => Error;
}

/**
 * The lines of a text that comes in pieces; what follows the last line's end is one too, unless it
 * is empty. Node's own reader of lines ends them at U+2028 too, which JSON leaves as it is.
 */
export async function* linesOf(
  pieces: AsyncIterable<string>,
  limit?: LineLimit,
): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield bounded(line, limit);
    bounded(rest, limit);
  }
  if (rest !== '') yield rest;
}

function bounded(line: string, limit: LineLimit | undefined): string {
  if (limit !== undefined && line.length > limit.mostChars) throw limit.tooLong();
  return line;
}
