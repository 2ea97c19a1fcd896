import { tryReadJson } from '@residency/residency';
import { z } from 'zod';

/** A bearer token or the SHA-256 of one, with its scopes. The intake validates the token itself. */
export type TokenConfiguration = { readonly scopes: readonly ('submissions' | 'consents')[] } & (
  | { readonly token: string }
  | { readonly sha256: string }
);

const scopes = z.array(z.enum(['submissions', 'consents'])).min(1);
const schema = z
  .array(
    z.union([
      z.strictObject({ token: z.string(), scopes }),
      z.strictObject({ sha256: z.string(), scopes }),
    ]),
  )
  .min(1);

export const TOKENS_EXPECTED =
  'a JSON array of {"token": "..."} or {"sha256": "..."}, each with "scopes" of submissions, consents or both';

/**
 * `undefined`: the text is not a tokens file. No part of it may be repeated, because it holds
 * secrets.
 */
export function readTokens(text: string): readonly TokenConfiguration[] | undefined {
  return schema.safeParse(tryReadJson(text)).data;
}
