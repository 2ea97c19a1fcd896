import { tryReadJson } from '@residency/residency';
import { z } from 'zod';

/** Asymmetric ones alone: with a secret key, whoever verifies could also sign. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Keys that came over an open line could be anybody's. */
const safeUrl = z.url().refine((text) => {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
});

const settings = z
  .strictObject({
    issuer: z.string().min(1).max(512),
    audience: z.string().min(1).max(512),
    /** Where the issuer publishes its keys (RFC 7517). */
    jwksUrl: safeUrl.optional(),
    /** The same as a file of the folder, for issuers that cannot be reached. */
    jwksFile: z
      .string()
      .regex(/^[\w.-]{1,128}$/)
      .optional(),
    algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'ES256', 'EdDSA']),
    clockToleranceSeconds: z.int().min(0).max(300).default(60),
    groupsClaim: z.string().min(1).max(128).default('groups'),
    /** How long known keys are used while the issuer does not answer. */
    keysLastSeconds: z.int().min(60).max(86_400).default(3_600),
  })
  .refine(({ jwksUrl, jwksFile }) => (jwksUrl === undefined) !== (jwksFile === undefined));

export type OidcSettings = z.output<typeof settings>;

export const OIDC_EXPECTED =
  'oidc.json to be {"issuer": "...", "audience": "...", "jwksUrl": "https://..." or "jwksFile": "..."}, with nothing unknown beside';

/** `undefined`: the text is none. */
export function readOidcSettings(text: string): OidcSettings | undefined {
  return settings.safeParse(tryReadJson(text)).data;
}
