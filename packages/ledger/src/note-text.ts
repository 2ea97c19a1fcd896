const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
/** signed-note: ASCII control characters other than newline. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * The text of a note: Unicode without control characters. Bytes and text correspond one to one, so
 * a signature over one is a signature over the other.
 */
export function isNoteText(text: string): boolean {
  return text.isWellFormed() && !CONTROL.test(text);
}

/** True if the line is not empty and a note may contain it. */
export function isNoteLine(line: string): boolean {
  return line !== '' && !line.includes('\n') && isNoteText(line);
}

/** `undefined` if the bytes are not UTF-8, or if a note may not contain them. */
export function decodeNoteText(bytes: Uint8Array): string | undefined {
  try {
    const text = DECODER.decode(bytes);
    return CONTROL.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

export function encodeNoteText(text: string): Uint8Array {
  return ENCODER.encode(text);
}
