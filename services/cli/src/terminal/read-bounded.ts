/**
 * Reads the whole body of an answer, which its server may send without end. Throws `tooLong` beyond
 * `mostBytes`, and reads no further.
 */
export async function readBounded(
  { body }: Response,
  mostBytes: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > mostBytes) throw tooLong();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
