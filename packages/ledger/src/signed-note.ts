import { decodeBase64, encodeBase64 } from './base64.ts';
import { LedgerError } from './ledger-error.ts';
import { isKeyName } from './note-key.ts';
import { decodeNoteText, encodeNoteText, isNoteText } from './note-text.ts';

// The limits of Go's sumdb/note. signed-note requires at least 16 signatures.
export const MAX_NOTE_BYTES = 1_000_000;
export const MAX_SIGNATURES = 100;

/**
 * C2SP signed-note: a text that ends with a newline, with its signatures. Trust nothing of it
 * before a signature is verified.
 */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** The bytes after the key id, in the format of the key's type. Not empty. */
  readonly signature: Uint8Array;
}

const ID_BYTES = 4;
// The dash is U+2014.
const LINE = /^— ([^ ]+) ([^ ]+)$/;

export function formatNote({ text, signatures }: SignedNote): Uint8Array {
  const note = encodeNoteText(
    `${text}\n${signatures.map((signature) => formatSignature(signature)).join('')}`,
  );
  if (!text.endsWith('\n') || !isNoteText(text))
    throw invalid('a text that ends with a newline and has no control character', 'another');
  checkLimits(note.length, signatures.length);
  return note;
}

/**
 * The inverse. Throws `INVALID_NOTE` unless `formatNote` would write these bytes. The sender of the
 * note controls them.
 */
export function parseNote(bytes: Uint8Array): SignedNote {
  checkLimits(bytes.length, 1);
  const note = decodeNoteText(bytes);
  if (note === undefined) throw invalid('UTF-8 without control characters', 'other bytes');
  // The text may contain empty lines. It ends at the last empty line of the note.
  const end = note.lastIndexOf('\n\n');
  if (end === -1) throw invalid('an empty line between text and signatures', 'none');
  const lines = note.slice(end + 2).split('\n');
  if (lines.pop() !== '') throw invalid('a newline at the end', 'none');
  checkLimits(bytes.length, lines.length);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** A signature line with its newline, as a witness returns it. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name) || signature.length === 0)
    throw invalid('a key name and a signature', 'others');
  const bytes = new Uint8Array(ID_BYTES + signature.length);
  new DataView(bytes.buffer).setUint32(0, keyId);
  bytes.set(signature, ID_BYTES);
  return `— ${name} ${encodeBase64(bytes)}\n`;
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', base64 = ''] = LINE.exec(line) ?? [];
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= ID_BYTES)
    throw invalid('signature lines of a dash, a key name and base64', 'another line');
  return {
    name,
    keyId: new DataView(bytes.buffer).getUint32(0),
    signature: bytes.subarray(ID_BYTES),
  };
}

function checkLimits(bytes: number, signatures: number): void {
  if (bytes > MAX_NOTE_BYTES) throw invalid(`at most ${MAX_NOTE_BYTES} bytes`, `${bytes}`);
  if (signatures < 1 || signatures > MAX_SIGNATURES)
    throw invalid(`1 to ${MAX_SIGNATURES} signatures`, `${signatures}`);
}

function invalid(expected: string, found: string): LedgerError {
  return new LedgerError(
    'INVALID_NOTE',
    `Expected a signed note with ${expected}, found ${found}; get it again from its source.`,
  );
}
