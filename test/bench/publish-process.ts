import { SUBMITTED, consentCloudEvent, consentEntry, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import { REGIONS, sampleOf } from './workload.ts';
import type { Workload } from './workload.ts';
import { SALT } from '@residency/testkit';

// `publish-process.ts <data directory> <workload>`: publishes all samples of the workload to the
// embedded log.
const [, , directory = '', text = ''] = process.argv;
const workload: Workload = JSON.parse(text);
const SOURCE = 'urn:residency:bench';
const CONSENT = 'bench-consent-01';
const APPEND_BYTES = 16 * 1024 * 1024;

function submission(index: number): LogEntry {
  return submissionEntry({
    specversion: '1.0',
    id: `sample-${index}`,
    source: SOURCE,
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    data: sampleOf(workload, index),
    extensions: {
      usercountry: REGIONS[workload.region].country,
      consentid: CONSENT,
      verdict: 'suspicious',
    },
  });
}

const data = await openDataDirectory(directory);
await data.log.append([
  consentEntry(
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
  ),
]);
const together = Math.max(1, Math.min(1_000, Math.floor(APPEND_BYTES / workload.bytes)));
for (let from = 0; from < workload.count; from += together) {
  await data.log.append(
    Array.from({ length: Math.min(together, workload.count - from) }, (_, index) =>
      submission(from + index),
    ),
  );
}
await data.close();
