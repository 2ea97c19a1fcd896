/** The SHA-256 of the sample, and an ending that no system runs by itself. */
const ATTACHMENT = /^attachment; filename="([0-9a-f]{64}\.(?:cart|zip|bin))"$/;

/**
 * The name that a `Content-Disposition` gives a sample (RFC 6266). Whoever answers controls it:
 * `undefined` for everything that is not exactly what a vault sends, such as a path.
 */
export function fileNameIn(contentDisposition: string | null): string | undefined {
  return ATTACHMENT.exec(contentDisposition ?? '')?.[1];
}
