import type { LedgerStore } from '@residency/auditing';
import type { AccessDesk, CustodianSites } from '@residency/custodianship';
import { neutralise } from '@residency/neutral-forms';
import pLimit from 'p-limit';
import { pause } from '@residency/waiting';
import type { ConsentView, SettledOutcomes } from '@residency/routing';
import { openSealed } from '@residency/sealing';
import type { KeyUnwrapper } from '@residency/sealing';
import { Vault } from '@residency/vault';
import type { Packer } from '@residency/vault';
import { PublishedCustodyLedger } from './published-custody-ledger.ts';
import type { LedgerTrust } from './published-custody-ledger.ts';
import type { VaultFolder } from './vault-folder.ts';

export interface OpenVaultDeps {
  readonly region: string;
  readonly folder: Pick<VaultFolder, 'purposes' | 'referenceDigest'>;
  /** Of the active custodian of the region, if it is this process. */
  readonly desk: () => AccessDesk | undefined;
  readonly outcomes: SettledOutcomes;
  readonly consents: ConsentView;
  readonly sites: CustodianSites;
  readonly unwrapper: KeyUnwrapper;
  readonly ledgers: Pick<LedgerStore, 'read'>;
  readonly trust: LedgerTrust;
}

/** From one look at the published ledger to the next. */
const LOOK_MS = 250;

/** The vault of one region, on a cluster or on one machine. */
export function openVault({
  region,
  folder: { purposes, referenceDigest },
  desk,
  outcomes,
  consents,
  sites,
  unwrapper,
  ledgers,
  trust,
}: OpenVaultDeps): Vault {
  return new Vault({
    region,
    purposes,
    referenceDigest,
    desk,
    outcomes,
    consents,
    sites,
    opener: {
      open: async (message) => {
        const { sample, context } = await openSealed(message, region, unwrapper);
        return { sample, submission: context.submission };
      },
    },
    packer: PACKER,
    ledger: new PublishedCustodyLedger({ store: ledgers, region, trust }),
    now: Date.now,
    pause: (signal) => pause(LOOK_MS, signal),
  });
}

/** Packing a zip takes a second of the main thread for the largest sample, so one at a time. */
const PACKER: Packer = packingOneAtATime(async (form, sample, sha256) => {
  const packed = await neutralise(form, sample, { name: sha256, sha256 });
  const { buffer, byteOffset, byteLength } = packed.bytes;
  return { ...packed, bytes: Buffer.from(buffer, byteOffset, byteLength) };
});

function packingOneAtATime(pack: Packer['pack']): Packer {
  const limit = pLimit(1);
  return { pack: (...args) => limit(() => pack(...args)) };
}
