import { readJson } from '@residency/residency';
import { createLocalJWKSet } from 'jose';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';

const keys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(1_000) });

export type KeyGetter = ReturnType<typeof createLocalJWKSet>;

export interface JwksOptions {
  /** Reads the issuer's keys. Rejects if it does not answer. */
  readonly read: () => Promise<unknown>;
  /** How long known keys are used while it does not. */
  readonly lastMs: number;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
}

/** Keys are read again after this time, or for a key that is not known. */
const FRESH_MS = 300_000;
/** After an answer, good or bad, it is not asked again sooner: a client may name any key. */
const COOL_MS = 30_000;

/** An issuer's public keys, as it publishes them now or did a while ago. */
export class Jwks {
  readonly #options: JwksOptions;
  #known: { readonly keys: KeyGetter; readonly at: number } | undefined;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(options: JwksOptions) {
    this.#options = options;
  }

  /**
   * `again`: a key was missing among them. Throws `ISSUER_UNREACHABLE` (retry) if none are known, or
   * those that are known are too old.
   */
  async keys(again: boolean): Promise<KeyGetter> {
    const { elapsed, lastMs } = this.#options;
    const age = elapsed() - (this.#known?.at ?? -Infinity);
    if (again || age > FRESH_MS) await this.#ask();
    if (this.#known !== undefined && elapsed() - this.#known.at <= lastMs) return this.#known.keys;
    throw new CustodianError({
      code: 'ISSUER_UNREACHABLE',
      message:
        "Expected the issuer's keys, found that it does not answer, and that the known ones are too old. Ask again later; if it lasts, see whether jwksUrl in oidc.json is right.",
      remedy: 'retry',
    });
  }

  async #ask(): Promise<void> {
    if (this.#options.elapsed() - this.#askedAt < COOL_MS) {
      await this.#asking;
      return;
    }
    this.#askedAt = this.#options.elapsed();
    this.#asking = this.#read();
    await this.#asking;
  }

  async #read(): Promise<void> {
    try {
      const found = keys.parse(await this.#options.read());
      const set = createLocalJWKSet(found);
      this.#known = { keys: set, at: this.#options.elapsed() };
    } catch {
      // Those that are known go on for a while.
    }
  }
}

const MOST_BYTES = 1024 * 1024;
const WITHIN_MS = 5_000;

/** Reads keys from their URL: one answer, no redirects, 1 MiB at most. */
export async function fetchJwks(url: string): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(WITHIN_MS),
    headers: { accept: 'application/json' },
  });
  if (!response.ok || response.body === null) throw new Error('no keys');
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error('too many keys');
  }
  return readJson(Buffer.concat(pieces));
}
