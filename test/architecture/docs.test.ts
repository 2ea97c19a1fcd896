import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { verifySite } from '@residency/adapter-filesystem';
import { decodeHttp, encodeHttpStructured, encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import {
  SITE_MARKER_KEY,
  controlEntry,
  decodeAuditEvent,
  decodeCustodyEvent,
  decodeObjectMetadata,
  decodeQuarantinePointer,
  digestLeaf,
  encodeAuditEvent,
  encodeCustodyEvent,
  encodeObjectMetadata,
  encodeQuarantinePointer,
  formatPosition,
  objectKey,
  parsePosition,
  policyDigest,
  readConsentEvent,
  readControlRecord,
  readPolicy,
  readSubjectLink,
  readSubmission,
  recordForm,
  recordInForm,
  sha256,
  tombstoneOf,
} from '@residency/contracts';
import type { Submission } from '@residency/contracts';
import { canonicalJson, checkPolicy } from '@residency/residency';
import { RegionSealer, generateRegionKey } from '@residency/sealing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { exists, files, text } from './tree.ts';
import { SALT } from '@residency/testkit';

interface RecordVector {
  readonly record: {
    readonly offset: string;
    readonly at: number;
    readonly key: string | null;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly value: string | null;
  };
  readonly form: string;
  readonly digest: string;
}

interface Example {
  readonly page: string;
  readonly name: string;
  readonly content: string;
}

const pages = files('docs/formats/*.md').filter((page) => !page.endsWith('/README.md'));
const examples: readonly Example[] = pages.flatMap((page) =>
  [...text(page).matchAll(/^```(?:json|http)(?: example=([\w-]+))?\n([\s\S]*?)^```$/gm)].map(
    ([, name = '(none)', content = '']) => ({ page, name, content }),
  ),
);

function only(name: string): string {
  const found = examples.filter((example) => example.name === name);
  expect(found).toHaveLength(1);
  return found[0]?.content ?? '';
}

function structured(content: string): CloudEvent {
  const { events } = decodeHttp({
    headers: [['content-type', 'application/cloudevents+json']],
    body: Buffer.from(content),
  });
  return first(events);
}

/**
 * An HTTP message as it is written in a document: the blank line ends the headers, the last line's
 * end belongs to the body.
 */
function binary(content: string): CloudEvent {
  const [head = '', ...body] = content.split('\n\n');
  const headers = head
    .split('\n')
    .slice(1)
    .map((line): [string, string] => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
  return first(decodeHttp({ headers, body: Buffer.from(body.join('\n\n')) }).events);
}

function first(events: readonly CloudEvent[]): CloudEvent {
  const [event] = events;
  if (event === undefined) throw new RangeError('Expected one event, found none.');
  return event;
}

function submissionOf(event: CloudEvent): Submission {
  const read = readSubmission(event);
  if ('reason' in read) throw new Error(`${read.reason}: ${read.detail}`);
  return read;
}

const submission = () => submissionOf(structured(only('submission')));

/** How each kind of example is decoded; a decoder throws or expects. */
const DECODERS: Readonly<Record<string, (content: string) => unknown>> = {
  submission: () => {
    expect(submission()).toMatchObject({ sampleSha256: sha256(submission().sample) });
  },
  'submission-binary': (content) => {
    expect(submissionOf(binary(content))).toEqual(submission());
  },
  consent: (content) => {
    expect(readConsentEvent(structured(content)).consentId).toBe(submission().consentId);
  },
  'subject-link': (content) => {
    expect(readSubjectLink(structured(content)).consentId).toBe(submission().consentId);
  },
  policy: (content) => {
    const { document, digest } = readPolicy(Buffer.from(content));
    expect(digest).toBe(policyDigest(document));
    // The only fault is the one that the page names.
    expect(new Set(checkPolicy(document).map(({ code }) => code))).toEqual(new Set(['GAP']));
    expect(text('docs/formats/policy.md')).toContain(`Digest: \`${digest}\``);
  },
  'audit-event': (content) => {
    const bytes = Buffer.from(canonicalJson(JSON.parse(content)));
    const event = decodeAuditEvent(bytes);
    expect(encodeAuditEvent(event)).toEqual(bytes);
    if ('decision' in event.data && event.data.decision !== undefined)
      expect(event.data.decision.policy.digest).toBe(
        readPolicy(Buffer.from(only('policy'))).digest,
      );
    if (event.data.submission !== undefined)
      expect(event.data.submission).toBe(submission().submission);
  },
  'custody-event': (content) => {
    const bytes = Buffer.from(canonicalJson(JSON.parse(content)));
    const event = decodeCustodyEvent(bytes);
    expect(encodeCustodyEvent(event)).toEqual(bytes);
    if (!('copy' in event.data)) return;
    expect(event.data.submission).toBe(submission().submission);
    expect(event.data.copy.key).toBe(objectKey(event.data.submission));
  },
  control: (content) => {
    const event = structured(content);
    const written = readControlRecord(encodeKafkaStructured(event));
    expect(readControlRecord(controlEntry(written, event.id, SALT).record)).toEqual(written);
    expect(written.data).toEqual(JSON.parse(content).data);
  },
  'record-leaves': (content) => {
    const bytes = (text: string | null): Buffer | null =>
      text === null ? null : Buffer.from(text, 'base64');
    for (const { record, form, digest } of JSON.parse(content) as readonly RecordVector[]) {
      const said = {
        offset: BigInt(record.offset),
        at: record.at,
        key: bytes(record.key),
        headers: record.headers.map(
          ([name, value]) => [name, Buffer.from(value, 'base64')] as const,
        ),
        value: bytes(record.value),
      };
      expect(recordForm(said)).toEqual(bytes(form));
      expect(recordInForm(Buffer.from(form, 'base64'))).toEqual(said);
      expect(digestLeaf(said).toString()).toBe(digest);
    }
  },
  'quarantine-pointer': (content) => {
    const pointer = decodeQuarantinePointer(Buffer.from(content));
    expect(JSON.parse(encodeQuarantinePointer(pointer).toString())).toEqual(JSON.parse(content));
    parsePosition(pointer.position);
  },
  'object-metadata': (content) => {
    const metadata = decodeObjectMetadata(JSON.parse(content));
    expect(encodeObjectMetadata(metadata)).toEqual(JSON.parse(content));
    expect(metadata.sampleSha256).toBe(submission().sampleSha256);
    expect(text('docs/formats/object.md')).toContain(`\`${objectKey(submission().submission)}\``);
  },
  tombstone: (content) => {
    const { order, key, bytes, metadata } = JSON.parse(content) as Readonly<Record<string, string>>;
    const stored = examples
      .filter(({ name }) => name === 'audit-event')
      .map((example) => decodeAuditEvent(Buffer.from(example.content)))
      .find((event) => event.outcome === 'stored');
    if (stored === undefined || order === undefined)
      throw new Error('Expected a stored event and an order, found none.');
    const made = tombstoneOf(stored, order);
    expect([made.key, made.bytes.toString(), encodeObjectMetadata(made.metadata)]).toEqual([
      key,
      bytes,
      metadata,
    ]);
    expect(decodeObjectMetadata(encodeObjectMetadata(made.metadata))).toEqual(made.metadata);
  },
  positions: (content) => {
    const positions: string[] = JSON.parse(content);
    expect(positions.map((position) => formatPosition(parsePosition(position)))).toEqual(positions);
  },
  'site-marker': async (content) => {
    const folder = await mkdtemp(join(tmpdir(), 'marker-'));
    try {
      await writeFile(join(folder, SITE_MARKER_KEY), content);
      await verifySite(folder, { region: 'zurich', site: 'zrh-1' });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  'encryption-context': async (content) => {
    const context: Record<string, string> = JSON.parse(content);
    const key = await generateRegionKey('zurich', 0);
    const { message } = await new RegionSealer({ newest: () => key }).seal(submission().sample, {
      region: 'zurich',
      policyDigest: readPolicy(Buffer.from(only('policy'))).digest,
      sampleSha256: sha256(submission().sample),
      submission: submission().submission,
    });
    const header = readHeader(message);
    expect(header.context).toEqual(context);
    expect(header).toMatchObject({
      version: 2,
      suite: 0x0478,
      dataKeys: 1,
      provider: 'residency/zurich',
      keyName: expect.stringContaining(key.id),
    });
  },
};

/** The head of an AWS Encryption SDK message of format version 2, read independently of the SDK. */
function readHeader(message: Buffer): {
  version: number;
  suite: number;
  context: Record<string, string>;
  dataKeys: number;
  provider: string;
  keyName: string;
} {
  let at = 3 + 32;
  const number = (): number => message.readUInt16BE((at += 2) - 2);
  const string = (): string => {
    const length = number();
    return message.toString('utf8', at, (at += length));
  };
  const context: Record<string, string> = {};
  if (number() > 0) {
    for (let left = number(); left > 0; left -= 1) {
      const name = string();
      context[name] = string();
    }
  }
  return {
    version: message.readUInt8(0),
    suite: message.readUInt16BE(1),
    context,
    dataKeys: number(),
    provider: string(),
    keyName: string(),
  };
}

describe('the examples of docs/formats', () => {
  test('each name their type, and each format has one', () => {
    expect(examples.filter(({ name }) => !(name in DECODERS))).toEqual([]);
    expect(
      Object.keys(DECODERS).filter((name) => !examples.some((example) => example.name === name)),
    ).toEqual([]);
    expect(pages.filter((page) => !examples.some((example) => example.page === page))).toEqual([]);
    const list = text('docs/formats/README.md');
    expect(pages.filter((page) => !list.includes(`](${page.split('/').at(-1)})`))).toEqual([]);
  });

  test.each(examples.map((example, index) => ({ ...example, nth: index + 1 })))(
    '$page: example $nth ($name) is what the code reads',
    async ({ name, content }) => {
      expect(DECODERS).toHaveProperty([name]);
      await DECODERS[name]?.(content);
    },
  );

  test('name one submission throughout', () => {
    expect(text('docs/formats/submission.md')).toContain(`\`${submission().submission}\``);
  });
});

/** What a validator is given of an example: its JSON, or the event that an HTTP message is. */
function validated({ name, content }: Example): readonly [schema: string, value: unknown][] {
  if (name === 'submission-binary')
    return [['submission', JSON.parse(encodeHttpStructured(binary(content)).body.toString())]];
  // A leaf is bytes.
  if (name === 'record-leaves') return [];
  if (name === 'tombstone') return [['object-metadata', JSON.parse(content).metadata]];
  if (name !== 'positions') return [[name, JSON.parse(content)]];
  const positions: string[] = JSON.parse(content);
  return positions.map((position) => ['position', position]);
}

test('each example is allowed by its schema, and each schema has an example', () => {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowMatchingProperties: true,
  });
  formats.default(ajv);
  const schemas = files('docs/formats/schemas/*.json').map((path) => {
    const name = basename(path, '.json');
    ajv.addSchema(JSON.parse(text(path)), name);
    return name;
  });
  const exemplified = examples.flatMap(validated).map(([schema, value]) => {
    ajv.validate({ $ref: schema }, value);
    expect([schema, ajv.errors]).toEqual([schema, null]);
    return schema;
  });
  // Policies as they are published and headers as Kafka has them are written by the code alone.
  expect([...new Set(exemplified)].toSorted()).toEqual(
    schemas.filter((name) => !['policy-event', 'submission-headers'].includes(name)),
  );
});

test('links between documents resolve', () => {
  const documents = [
    ...files('docs/**/*.md'),
    ...files('*.md'),
    ...files('{packages,services,policy,examples,deploy}/**/*.md'),
  ];
  const broken = documents.flatMap((page) =>
    [...text(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => join(page, '..', target))
      .filter((target) => !exists(target))
      .map((target) => `${page}: ${target}`),
  );
  expect(documents.length).toBeGreaterThan(15);
  expect(broken).toEqual([]);
});

test('each decision has its four parts and fits on a page', () => {
  for (const page of files('docs/decisions/*.md')) {
    const parts = [...text(page).matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
    expect([page, parts]).toEqual([page, ['Context', 'Decision', 'Consequence', 'Rejected']]);
    expect(text(page).split('\n').length).toBeLessThan(60);
  }
});
