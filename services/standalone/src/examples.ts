import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  formatPosition,
  SUBMITTED,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  submissionEntry,
  subjectLinkCloudEvent,
  subjectLinkEntry,
} from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import type { CloudEvent } from '@residency/cloudevents';
import { defined } from '@residency/defined';
import { readJson } from '@residency/residency';
import { z } from 'zod';
import type { DataDirectory } from './data-directory.ts';

const EXAMPLES = new URL('../../../examples/', import.meta.url);
const SOURCE = 'urn:residency:examples';

const manifest = z.strictObject({
  consents: z.array(
    z.strictObject({
      consentId: z.string(),
      subject: z.string(),
      purpose: z.string().default('threat-sample-sharing'),
      withdrawn: z.boolean().default(false),
    }),
  ),
  submissions: z.array(
    z.strictObject({
      id: z.string(),
      file: z.string(),
      mediaType: z.string().default('application/octet-stream'),
      country: z.string().optional(),
      consent: z.string().optional(),
      verdict: z.string().default('suspicious'),
      type: z.string().default(SUBMITTED),
      attributes: z.record(z.string(), z.string()).default({}),
      raw: z.boolean().default(false),
      expected: z.string(),
    }),
  ),
});
type Example = z.infer<typeof manifest>['submissions'][number];

export interface PublishedExample {
  /** The file's name in `examples/samples`. */
  readonly file: string;
  /** As sent; absent: the example has none. */
  readonly country?: string;
  /** The expected result of the first run, such as `stored zurich`. */
  readonly expected: string;
  readonly position: string;
}

/** Publishes the consents and then the submissions of `examples/`, in order. */
export async function publishExamples(data: DataDirectory): Promise<readonly PublishedExample[]> {
  const { consents, submissions } = manifest.parse(
    readJson(await readFile(new URL('submissions.json', EXAMPLES))),
  );
  await data.log.append(consents.flatMap((consent) => consentEntries(consent)));
  const positions = await data.log.append(
    await Promise.all(submissions.map((example) => sampleEntry(example))),
  );
  return submissions.map(({ file, country, expected }, index) => {
    const position = positions[index];
    if (position === undefined)
      throw new RangeError('The log answered with fewer positions than records were appended.');
    return {
      file,
      ...defined({ country }),
      expected,
      position: formatPosition(position),
    };
  });
}

function consentEntries({
  consentId,
  subject,
  purpose,
  withdrawn,
}: z.infer<typeof manifest>['consents'][number]): LogEntry[] {
  const envelope = (step: string): { id: string; source: string } => ({
    id: `${consentId}-${step}`,
    source: SOURCE,
  });
  return [
    subjectLinkEntry(subjectLinkCloudEvent({ consentId, subject }, envelope('link'))),
    consentEntry(
      consentCloudEvent(
        { kind: 'granted', consentId, purposes: [purpose], termsVersion: 'example-1' },
        envelope('grant'),
      ),
      newSalt(),
    ),
    ...(withdrawn
      ? [
          consentEntry(
            consentCloudEvent({ kind: 'withdrawn', consentId }, envelope('withdrawal')),
            newSalt(),
          ),
        ]
      : []),
  ];
}

function newSalt(): string {
  return randomBytes(16).toString('hex');
}

async function sampleEntry(example: Example): Promise<LogEntry> {
  const data = await readFile(new URL(`samples/${example.file}`, EXAMPLES));
  if (example.raw)
    return { topic: TOPICS.samples, record: { key: null, headers: [], value: data } };
  const { id, type, mediaType, country, consent, verdict, attributes } = example;
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    datacontenttype: mediaType,
    data,
    extensions: {
      ...defined({ usercountry: country, consentid: consent }),
      verdict,
      ...attributes,
    },
  };
  return submissionEntry(event);
}
