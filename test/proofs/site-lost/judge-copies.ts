import type { ClusterEvidence } from '../cluster/cluster-evidence.ts';
import { custodyChainFaults } from '../custody-chain.ts';
import { SITES_BY_REGION } from '../traffic.ts';
import type { CustodyEvidence } from './custody-evidence.ts';

interface Stored {
  readonly id: string;
  readonly submission: string;
  readonly region: string;
  /** Of the first placement: what every site of the region must hold. */
  readonly sealedSha256: string;
}

function storedIn({ audit }: Pick<ClusterEvidence, 'audit'>): readonly Stored[] {
  return audit
    .filter(({ outcome }) => outcome === 'stored')
    .map(({ id, data }) => ({
      id,
      submission: String(data.submission),
      region: (data['decision'] as { readonly region: string }).region,
      sealedSha256:
        (data['placements'] as readonly { readonly sealedSha256: string }[])[0]?.sealedSha256 ?? '',
    }));
}

/** Zurich's stored samples of which no site has the ciphertext that counts, by submission. */
export function lostSamples(evidence: ClusterEvidence): ReadonlySet<string> {
  const held = new Set(
    evidence.objects
      .filter(({ site }) => SITES_BY_REGION['zurich']?.includes(site))
      .map((object) => `${object.submission} ${object.sha256}`),
  );
  return new Set(
    storedIn(evidence)
      .filter(({ region }) => region === 'zurich')
      .filter(({ submission, sealedSha256 }) => !held.has(`${submission} ${sealedSha256}`))
      .map(({ submission }) => submission),
  );
}

/** Every identity is stored once in a region, and every site of Zurich holds the same bytes. */
export function zurichFaults(
  evidence: ClusterEvidence,
  gone: ReadonlySet<string>,
): readonly string[] {
  const stored = storedIn(evidence);
  const objects = new Map(
    evidence.objects.map(({ site, submission, sha256: digest }) => [
      `${site}/${submission}`,
      digest,
    ]),
  );
  return [
    ...[...Map.groupBy(stored, ({ region, submission }) => `${region} ${submission}`)]
      .filter(([, some]) => some.length > 1)
      .map(
        ([identity, some]) =>
          `${identity} is stored ${some.length} times: ${some.map(({ id }) => id).join(', ')}`,
      ),
    ...stored
      .filter(({ submission, region }) => region !== 'zurich' || !gone.has(submission))
      .flatMap(({ id, submission, region, sealedSha256 }) =>
        (SITES_BY_REGION[region] ?? [])
          .filter((site) => objects.get(`${site}/${submission}`) !== sealedSha256)
          .map((site) => `${id}: ${site} does not hold the ciphertext of the first placement`),
      ),
  ];
}

/** A chain without a gap, of which each copy is of a stored sample and has its ciphertext. */
export function custodyFaults(
  evidence: ClusterEvidence,
  { rows, copies }: CustodyEvidence,
): readonly string[] {
  const stored = new Map(storedIn(evidence).map((one) => [one.id, one]));
  return [
    ...custodyChainFaults(rows),
    ...copies.flatMap(({ sequence, data: { of, copy } }) => {
      const one = stored.get(of ?? '');
      if (one === undefined)
        return [`the custody event ${sequence} is of ${of}, which is not stored`];
      return copy !== undefined &&
        copy.sealedSha256 === one.sealedSha256 &&
        SITES_BY_REGION[one.region]?.includes(copy.site) === true
        ? []
        : [`the custody event ${sequence} names another ciphertext or region than ${of}`];
    }),
  ];
}
