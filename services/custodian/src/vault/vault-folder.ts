import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@residency/coded-error';
import { principal } from '@residency/contracts';
import { defined } from '@residency/defined';
import { LedgerError, NOTE_SIGNATURE, parseVerifierKey } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import { tryReadJson } from '@residency/residency';
import { parsePurposes, referenceDigestOf } from '@residency/vault';
import type { Purposes } from '@residency/vault';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';
import { Jwks, fetchJwks } from './jwks.ts';
import { OidcAskers } from './oidc-askers.ts';
import { OIDC_EXPECTED, readOidcSettings } from './oidc-settings.ts';

/** What a folder says about who may have samples (docs/how-to/give-access.md). */
export interface VaultFolder {
  readonly purposes: Purposes;
  readonly tokens: readonly PrincipalToken[];
  /** Of the issuer whose tokens are accepted too. */
  readonly oidc?: OidcAskers;
  /** A keyed digest of a reference, lower-case hex. */
  readonly referenceDigest: (reference: string) => string;
  /** Verifier keys of ledgers, as their auditors' `audit key show` prints them. */
  readonly ledgerKeys: readonly VerifierKey[];
}

/** A bearer token, or the SHA-256 of one, and whose it is. */
export type PrincipalToken = { readonly principal: string } & (
  | { readonly token: string }
  | { readonly sha256: string }
);

const tokens = z
  .array(
    z.union([
      z.strictObject({ token: z.string(), principal }),
      z.strictObject({ sha256: z.string(), principal }),
    ]),
  )
  .min(1);

/**
 * Reads `purposes.json`, `tokens.json`, `reference-key` and, if they are there, `oidc.json` and
 * `ledger-keys`. Throws
 * `VAULT_UNUSABLE` and `INVALID_PURPOSES`; no message repeats a secret.
 */
export async function readVaultFolder(folder: string): Promise<VaultFolder> {
  const purposes = parsePurposes(await required(folder, 'purposes.json'));
  const known = tokens.safeParse(tryReadJson(await required(folder, 'tokens.json')));
  if (!known.success)
    throw unusable(
      'tokens.json to be a JSON array of {"sha256": "...", "principal": "..."}',
      'something else',
    );
  const referenceDigest = referenceDigestOf(await required(folder, 'reference-key'));
  if (referenceDigest === undefined)
    throw unusable('reference-key to hold 32 bytes as 64 lower-case hex digits', 'something else');
  const oidc = await oidcIn(folder, referenceDigest);
  return {
    purposes,
    tokens: known.data,
    ...defined({ oidc }),
    referenceDigest,
    ledgerKeys: verifierKeysIn((await optional(folder, 'ledger-keys')) ?? ''),
  };
}

async function oidcIn(
  folder: string,
  digest: (text: string) => string,
): Promise<OidcAskers | undefined> {
  const text = await optional(folder, 'oidc.json');
  if (text === undefined) return undefined;
  const settings = readOidcSettings(text);
  if (settings === undefined) throw unusable(OIDC_EXPECTED, 'something else');
  const { jwksUrl, jwksFile, keysLastSeconds } = settings;
  const file = jwksFile === undefined ? undefined : await required(folder, jwksFile);
  const jwks = new Jwks({
    read: async () => (jwksUrl === undefined ? tryReadJson(file ?? '') : await fetchJwks(jwksUrl)),
    lastMs: file === undefined ? keysLastSeconds * 1_000 : Infinity,
    elapsed: () => performance.now(),
  });
  // An issuer that does not answer now may do so later; a file never will.
  if (file !== undefined) await jwks.keys(false).catch(() => Promise.reject(noKeys()));
  return new OidcAskers({ settings, jwks, digest, now: Date.now });
}

function noKeys(): CustodianError {
  return unusable('the jwksFile of oidc.json to hold keys (RFC 7517)', 'something else');
}

/** True if somebody began a vault's folder: then everything in it must be right. */
export async function hasVaultFolder(folder: string): Promise<boolean> {
  const found = await Promise.all(
    ['purposes.json', 'tokens.json'].map((name) => optional(folder, name)),
  );
  return found.some((text) => text !== undefined);
}

function verifierKeysIn(text: string): readonly VerifierKey[] {
  const lines = text.split('\n').map((line) => line.replace(/\s*\(former\)$/, '').trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      try {
        const key = parseVerifierKey(line);
        if (key.type === NOTE_SIGNATURE) return key;
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
      }
      throw unusable(
        'ledger-keys to hold the lines that `residency audit key show` prints',
        'another line',
      );
    });
}

async function required(folder: string, name: string): Promise<string> {
  const text = await optional(folder, name);
  if (text === undefined) throw unusable(`${name} in the vault's folder`, 'none');
  return text;
}

async function optional(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    throw unusable(`${name} in the vault's folder to be readable`, 'that it is not', cause);
  }
}

function unusable(expected: string, found: string, cause?: unknown): CustodianError {
  return new CustodianError({
    code: 'VAULT_UNUSABLE',
    message: `Expected ${expected}, found ${found}. Correct it as docs/how-to/give-access.md says, and start again.`,
    remedy: 'stop',
    cause,
  });
}
