import type { KafkaLog } from '@residency/adapter-kafka';
import { SUBMITTED, consentCloudEvent, consentEntry, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { REGIONS, sampleOf } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { SALT } from '@residency/testkit';

/** Of every sample here. */
export const SOURCE = 'urn:residency:bench';
const CONSENT = 'bench-consent-01';
const APPEND_BYTES = 16 * 1024 * 1024;

/**
 * The samples from number `first` on. A number determines a sample's identity and bytes, and no
 * number is used twice.
 */
export interface Samples {
  readonly workload: Workload;
  readonly first: number;
  /** `one`: all samples are in one partition, in order. */
  readonly partitions: 'all' | 'one';
}

export function grantEntry(): LogEntry {
  return consentEntry(
    consentCloudEvent(
      {
        kind: 'granted',
        consentId: CONSENT,
        purposes: ['threat-sample-sharing'],
        termsVersion: '1',
      },
      { id: 'grant', source: SOURCE },
    ),
    SALT,
  );
}

function sampleEntry({ workload, partitions }: Samples, index: number): LogEntry {
  return submissionEntry({
    specversion: '1.0',
    id: `sample-${index}`,
    source: SOURCE,
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    data: sampleOf(workload, index),
    // The last attribute determines the partition.
    extensions: {
      usercountry: REGIONS[workload.region].country,
      consentid: CONSENT,
      verdict: 'suspicious',
      partitionkey: partitions === 'one' ? 'bench' : `bench-${index}`,
    },
  });
}

/** Appends `count` samples, of which a few megabytes are in memory at a time. */
export async function appendSamples(log: KafkaLog, samples: Samples, count: number): Promise<void> {
  const together = Math.max(1, Math.min(1_000, Math.floor(APPEND_BYTES / samples.workload.bytes)));
  for (let sent = 0; sent < count; sent += together) {
    await log.append(
      Array.from({ length: Math.min(together, count - sent) }, (_, index) =>
        sampleEntry(samples, samples.first + sent + index),
      ),
    );
  }
}
