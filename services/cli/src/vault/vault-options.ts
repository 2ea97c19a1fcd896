import {
  ACCESS_FORMS,
  ACCESS_ID,
  ACCESS_PRINCIPAL,
  PURPOSE_ID,
  REFERENCE,
} from '@residency/contracts/vocabulary';
import type { AccessForm } from '@residency/contracts/vocabulary';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { usage } from '../terminal/cli-error.ts';

/** Where a vault is, and who asks. */
export interface VaultOptions {
  readonly vault?: string;
  readonly tokenFile?: string;
  readonly region?: string;
}

/** What an access is for. */
export interface OrderOptions {
  readonly purpose: string;
  readonly reference: string;
  readonly form: AccessForm;
}

export const DEFAULT_VAULT = 'http://127.0.0.1:8080';

/**
 * `--vault`, `--token-file` and `--region`. A token is never an argument, because every user of the
 * machine can read command lines.
 */
export function vaultOptions(command: Command): Command {
  return command
    .option(
      '--vault <url>',
      `the vault's address (default: RESIDENCY_VAULT_URL, or ${DEFAULT_VAULT})`,
    )
    .option('--token-file <file>', 'file with your bearer token (or RESIDENCY_VAULT_TOKEN)')
    .option(
      '--region <region>',
      'the region that stores the sample; needed if the vault is of several',
    );
}

export const PURPOSE_HELP = "what for: a purpose of the vault's purposes file";
export const REFERENCE_HELP =
  'why, such as the number of a ticket; 1 to 256 characters. Only a keyed digest of it is kept';

export function formOption(): Option {
  return new Option(
    '--form <form>',
    'how the file is packed: cart (CaRT), zip (AES, password infected), zip-legacy (ZipCrypto, the same password), raw (as it is)',
  )
    .choices(ACCESS_FORMS)
    .default('cart');
}

export function parseAccess(text: string): string {
  if (!ACCESS_ID.test(text))
    throw new InvalidArgumentError('Expected an access id, a UUID of version 7 in lower case.');
  return text;
}

export function parsePurpose(text: string): string {
  if (!PURPOSE_ID.test(text))
    throw new InvalidArgumentError('Expected a purpose of 1 to 64 of a-z 0-9 -.');
  return text;
}

export function parseCountry(text: string): string {
  if (!/^[A-Z]{2}$/.test(text))
    throw new InvalidArgumentError('Expected a country code of two capital letters (ISO 3166-1).');
  return text;
}

export function parseDigest(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new InvalidArgumentError('Expected a SHA-256, 64 lower-case hex digits.');
  return text;
}

/** Throws `USAGE` without repeating it; commander would. */
export function requireReference(text: string): void {
  if (!REFERENCE.test(text))
    throw usage(
      'Expected --reference of 1 to 256 characters, none of them a control character, found something else; nothing was asked for. Shorten it, such as to the number of a ticket.',
    );
}

export function parsePrincipal(text: string): string {
  if (!ACCESS_PRINCIPAL.test(text))
    throw new InvalidArgumentError('Expected a principal of 1 to 64 of a-z 0-9 . _ -.');
  return text;
}

export function parsePositionText(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}\/[a-z.]{1,64}\/\d{1,10}\/\d{1,19}$/.test(text))
    throw new InvalidArgumentError('Expected a position (log-4f2a9c1e/threat.samples/0/12).');
  return text;
}
