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
    yield* lines;
    if (limit !== undefined && rest.length > limit.mostChars) throw limit.tooLong();
  }
  if (rest !== '') yield rest;
}
