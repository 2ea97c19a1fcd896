// RFC 4648 §4, padded, and strict: with white space, a missing `=` or set bits in the padding, two
// texts would encode the same bytes.

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** `undefined` unless the text is exactly the output of `encodeBase64`. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return btoa(binary) === text ? bytes : undefined;
}
