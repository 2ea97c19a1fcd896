import { hasCode } from '@residency/coded-error';
import { openSealed } from '@residency/sealing';
import type { OpeningKey } from '@residency/sealing';
import type { Opened, Opener } from '@residency/vault';

/** Where a region's private keys are, retired ones too. */
export interface PrivateKeys {
  privateKeys(region: string): Promise<readonly OpeningKey[]>;
}

/** Opens with the private keys of one region. A key that was added meanwhile is found. */
export class RegionOpener implements Opener {
  readonly #keys: PrivateKeys;
  readonly #region: string;
  #known: readonly OpeningKey[] | undefined;

  constructor(keys: PrivateKeys, region: string) {
    this.#keys = keys;
    this.#region = region;
  }

  async open(message: Buffer): Promise<Opened> {
    const isKnown = this.#known !== undefined;
    this.#known ??= await this.#keys.privateKeys(this.#region);
    try {
      return await this.#openWith(message, this.#known);
    } catch (error) {
      if (!isKnown || !hasCode(error, 'NO_KEY_FOR_MESSAGE')) throw error;
      this.#known = await this.#keys.privateKeys(this.#region);
      return await this.#openWith(message, this.#known);
    }
  }

  async #openWith(message: Buffer, keys: readonly OpeningKey[]): Promise<Opened> {
    const { sample, context } = await openSealed(message, this.#region, keys);
    return { sample, submission: context.submission };
  }
}
