import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import type { Headers } from '@residency/cloudevents';
import { TOPICS } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { submissionEvent } from '@residency/testkit';
import { SeededRandom } from './seeded-random.ts';
import { GIVEN, REGION_BY_COUNTRY } from './traffic.ts';

interface Content {
  headers: (readonly [name: string, value: Buffer])[];
  value: Buffer | null;
}

/** A record that an attacker might append, or sometimes a good one, which must be stored. */
export interface HostileRecord {
  readonly entry: LogEntry;
  /** Present: the record is valid. */
  readonly good?: { readonly region: string; readonly sample: Buffer };
}

/**
 * Record `index` of a seed: random noise, or a valid submission in either mode that was changed.
 */
export function hostileRecord(seed: number, index: number): HostileRecord {
  const random = new SeededRandom(seed * 1_000_003 + index);
  const country = random.pick(Object.keys(REGION_BY_COUNTRY));
  const sample = random.bytes(1 + random.below(200));
  // Some share one identity; the good ones never do.
  const quarrel = index % 100 === 1;
  const event = submissionEvent({
    id: quarrel ? 'fuzz-same' : `fuzz-${index}`,
    country,
    consent: GIVEN,
    sample,
  });
  const structured = random.chance(0.5);
  const valid: Content = structured
    ? mutable(encodeKafkaStructured(event))
    : mutable(encodeKafkaBinary(event));
  if (index % 100 === 0)
    return { entry: entryOf(valid), good: { region: REGION_BY_COUNTRY[country] ?? '', sample } };
  if (quarrel) return { entry: entryOf(valid) };
  if (random.chance(0.2)) return { entry: entryOf(noise(random)) };
  for (let times = 2 + random.below(3); times > 0; times -= 1) tamper(valid, structured, random);
  return { entry: entryOf(valid) };
}

function entryOf({ headers, value }: Content): LogEntry {
  return { topic: TOPICS.samples, record: { key: null, headers, value } };
}

function mutable({
  headers,
  value,
}: {
  readonly headers: Headers;
  readonly value: Buffer | null;
}): Content {
  return { headers: [...headers], value: value === null ? null : Buffer.from(value) };
}

function tamper(content: Content, structured: boolean, random: SeededRandom): void {
  if (structured && random.chance(0.7)) random.pick(ON_JSON)(content, random);
  else random.pick(ON_HEADERS)(content, random);
}

type Tamper = (content: Content, random: SeededRandom) => void;

const ATTRIBUTES = [
  'id',
  'source',
  'type',
  'specversion',
  'time',
  'dataschema',
  'subject',
  'usercountry',
  'consentid',
  'verdict',
  'samplesha256',
  'partitionkey',
  'traceparent',
  'dataclassification',
];
// Names with a meaning in JavaScript or in headers, and unknown names.
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'hasownproperty',
  'tostring',
  'valueof',
  'then',
  'length',
  '',
  'ce_',
  'CE_id',
  'ce__',
  'data',
  'data_base64',
  'datacontenttype',
  '\u{1f9a0}',
  '\ud800',
  'a'.repeat(65),
  'x y',
  'ce_a\0b',
  'residency-redrive-of',
];
const TEXTS = [
  '',
  ' ',
  'EU',
  'UK',
  'ZZ',
  'xx',
  'CHE',
  'C H',
  'ch ',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'NaN',
  '0',
  '-0',
  '1e308',
  'true',
  '[]',
  '{}',
  '../../etc/passwd',
  '%00',
  '\0',
  '\r\nce_id: x',
  '\u202eHC',
  '\ufeffCH',
  'ＣＨ',
  'I\u0307T',
  'ß',
  '\uffff',
  'not-given-consent',
  'threat.sample.submitted.v1 ',
  'threat.sample.submitted.v2',
  '0'.repeat(64),
  'F'.repeat(64),
  'MALICIOUS',
  "'; DROP TABLE record; --",
  '${7*7}',
  '<script>',
  '9'.repeat(400),
  'é'.repeat(129),
  'log-1/threat.samples/0/42',
];
const BROKEN_UTF8 = [
  Buffer.from([0xff]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf0, 0x9f, 0x98]),
  Buffer.from([0xc0, 0x80]),
];
const CONTENT_TYPES = [
  'application/cloudevents+json',
  'APPLICATION/CLOUDEVENTS+JSON; charset=utf-8',
  'application/cloudevents+json; charset=latin1',
  'application/cloudevents-batch+json',
  'application/cloudevents+avro',
  'application/cloudevents',
  'application/cloudeventsx',
  'text/plain; charset=utf-16',
  ';',
  'a/b;c',
  '',
];

function someBytes(random: SeededRandom): Buffer {
  const dice = random.next();
  if (dice < 0.15) return random.pick(BROKEN_UTF8);
  if (dice < 0.2)
    return Buffer.alloc(1 + random.below(64 * 1024), random.pick(['a', '0', 'é', '\0']));
  if (dice < 0.3) return random.bytes(random.below(64));
  return Buffer.from(random.pick(TEXTS));
}

function set(content: Content, name: string, value: Buffer): void {
  content.headers = [...content.headers.filter(([known]) => known !== name), [name, value]];
}

const ON_HEADERS: readonly Tamper[] = [
  (content, random) => {
    set(content, `ce_${random.pick(ATTRIBUTES)}`, someBytes(random));
  },
  (content, random) => {
    set(content, `ce_${random.pick(ATTRIBUTES)}`, someBytes(random));
  },
  (content, random) => {
    content.headers.splice(random.below(content.headers.length), 1);
  },
  (content, random) => {
    if (content.headers.length > 0) content.headers.push(random.pick(content.headers));
  },
  (content, random) => {
    content.headers.push([`ce_${random.pick(ATTRIBUTES)}`, someBytes(random)]);
  },
  (content, random) => {
    content.headers.push([
      `${random.pick(['', 'ce_', 'ce-', 'CE_'])}${random.pick(NAMES)}`,
      someBytes(random),
    ]);
  },
  (content, random) => {
    for (let count = random.below(300); count > 0; count -= 1)
      content.headers.push([`ce_x${count}`, Buffer.from('x')]);
  },
  (content, random) => {
    set(content, 'content-type', Buffer.from(random.pick(CONTENT_TYPES)));
  },
  (content) => {
    set(content, 'ce_samplesha256', Buffer.from('0'.repeat(64)));
  },
  (content) => {
    content.value = null;
  },
  (content) => {
    content.value = Buffer.alloc(0);
  },
];

function edit(content: Content, change: (text: string) => string): void {
  content.value = Buffer.from(change(content.value?.toString('latin1') ?? ''), 'latin1');
}

function insert(content: Content, random: SeededRandom, inserted: string): void {
  edit(content, (text) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + inserted + text.slice(at);
  });
}

function member(content: Content, json: string): void {
  edit(content, (text) => text.replace('{', `{${json},`));
}

const ON_JSON: readonly Tamper[] = [
  (content, random) => {
    const { value } = content;
    if (value !== null && value.length > 0) value[random.below(value.length)] = random.below(256);
  },
  (content, random) => {
    edit(content, (text) => text.slice(0, random.below(text.length + 1)));
  },
  (content, random) => {
    insert(
      content,
      random,
      random.pick([
        '"',
        '{',
        '}',
        '[',
        ',',
        ':',
        '\\',
        '\\ud800',
        '\\u0000',
        'null',
        '1e999',
        '\xff',
        '//',
        '\0',
      ]),
    );
  },
  (content, random) => {
    insert(content, random, random.bytes(random.below(16)).toString('latin1'));
  },
  (content, random) => {
    const name = random.pick(ATTRIBUTES);
    edit(content, (text) =>
      text.replace(
        new RegExp(`"${name}":"[^"]*"`),
        `"${name}":${JSON.stringify(random.pick(TEXTS))}`,
      ),
    );
  },
  (content, random) => {
    const name = random.pick(ATTRIBUTES);
    edit(content, (text) =>
      text.replace(
        new RegExp(`"${name}":"[^"]*"`),
        `"${name}":${random.pick(['null', '{}', '[]', '1', '-1.5', '1e400', 'true', '"\\udfff"', '9999999999'])}`,
      ),
    );
  },
  (content, random) => {
    const name = random.pick(ATTRIBUTES);
    edit(content, (text) => text.replace(new RegExp(`"${name}":"[^"]*",?`), ''));
  },
  (content, random) => {
    member(
      content,
      `${JSON.stringify(random.pick([...ATTRIBUTES, ...NAMES]))}:${JSON.stringify(random.pick(TEXTS))}`,
    );
  },
  (content) => {
    member(content, '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}');
  },
  (content, random) => {
    member(content, `"deep":${random.pick(['[', '{"a":']).repeat(1 + random.below(50_000))}1`);
  },
  (content, random) => {
    const depth = 1 + random.below(20_000);
    member(content, `"data":${'['.repeat(depth)}${']'.repeat(depth)}`);
  },
  (content, random) => {
    edit(content, (text) =>
      text.replace(
        /"data_base64":"[^"]*"/,
        `"data_base64":${random.pick(['"@@@@"', '"YQ"', '"YQ= ="', '"YQ==YQ=="', '"-_-_"', '""', 'null', '42', '{"a":1}'])}`,
      ),
    );
  },
  (content, random) => {
    member(content, `"data":${random.pick(['"text"', 'null', '{"a":1}', '"\\ud800"'])}`);
  },
  (content) => {
    content.value = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      content.value ?? Buffer.alloc(0),
    ]);
  },
  (content) => {
    content.value = Buffer.from(content.value?.toString('latin1') ?? '', 'utf16le');
  },
  (content, random) => {
    content.value = Buffer.from(
      random.pick(['null', '[]', '{}', '""', '0', '', ' ', '[{}]', '{"specversion":"1.0"}']),
    );
  },
];

function noise(random: SeededRandom): Content {
  const headers = Array.from(
    { length: random.below(12) },
    () =>
      [
        `${random.pick(['ce_', 'ce_', ''])}${random.pick([...ATTRIBUTES, ...NAMES, 'content-type'])}`,
        someBytes(random),
      ] as const,
  );
  return { headers, value: random.chance(0.1) ? null : random.bytes(random.below(512)) };
}
