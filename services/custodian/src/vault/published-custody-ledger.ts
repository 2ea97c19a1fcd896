import { findLeaf, ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { custodyEventIn, custodyTopic } from '@residency/contracts';
import { CHECKPOINT_PATH, LedgerReader, TILE_WIDTH, openCheckpoint } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import type { PublishedLedger } from '@residency/vault';
import { CustodianError } from '../custodian-error.ts';

export interface PublishedCustodyLedgerDeps {
  readonly store: Pick<LedgerStore, 'read'>;
  readonly region: string;
  readonly trust: LedgerTrust;
}

/** One ledger, and the keys of which one must have signed. */
export interface LedgerTrust {
  readonly origin: string;
  readonly generation: number;
  readonly keys: readonly VerifierKey[];
}

/**
 * The newest ledger over a region's custody log that these keys sign. Throws `LEDGER_KEYS_MISSING`
 * if none is of it.
 */
export function trustIn(
  keys: readonly VerifierKey[],
  { log, region }: { readonly log: string; readonly region: string },
): LedgerTrust {
  const of = `/${log}/${custodyTopic(region)}/0`;
  const known = keys.flatMap((key) => {
    const [base = '', later] = key.name.split(/\/g(\d{1,6})$/);
    return base.endsWith(of) ? [{ key, generation: Number(later ?? 1) }] : [];
  });
  const generation = Math.max(...known.map((one) => one.generation));
  const newest = known.filter((one) => one.generation === generation).map(({ key }) => key);
  const origin = newest[0]?.name;
  if (origin === undefined)
    throw new CustodianError({
      code: 'LEDGER_KEYS_MISSING',
      message: `Expected ledger-keys in the vault's folder to have a key of the ledger over ${custodyTopic(region)}, found none: without it no access can be shown to be public. Add the lines that \`residency audit key show\` prints where the auditor runs.`,
      remedy: 'stop',
    });
  return { origin, generation, keys: newest };
}

/** The ledger over a region's custody log, as whoever asks the auditor sees it. */
export class PublishedCustodyLedger implements PublishedLedger {
  readonly #deps: PublishedCustodyLedgerDeps;

  constructor(deps: PublishedCustodyLedgerDeps) {
    this.#deps = deps;
  }

  async contains(leaf: Buffer): Promise<boolean> {
    const { store, region, trust } = this.#deps;
    const topic = custodyTopic(region);
    const read = (path: string): Promise<Uint8Array | undefined> =>
      store.read(ledgerPath({ topic, partition: 0 }, path, trust.generation));
    const bytes = await read(CHECKPOINT_PATH);
    if (bytes === undefined) return false;
    const { checkpoint } = await openCheckpoint(bytes, trust);
    if (checkpoint.size === 0) return false;
    const reader = await LedgerReader.open(checkpoint, read);
    // Most looks are too early. So the last entry is read first, not all of them.
    const last = (await reader.entries(Math.floor((checkpoint.size - 1) / TILE_WIDTH))).at(-1);
    if (sequenceIn(last) < sequenceIn(leaf)) return false;
    return (await findLeaf(reader, leaf, topic)) !== undefined;
  }
}

/**
 * Infinite if it is no custody event: a ledger whose last entry is none is searched as a whole, and a
 * leaf that is none is searched for in such a ledger only.
 */
function sequenceIn(value: Uint8Array | undefined): number {
  return custodyEventIn(value)?.sequence ?? Infinity;
}
