import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import { TOPICS, encodeAuditEvent, sha256 } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { SALT, someAuditEvent } from '@residency/testkit';
import { SeededRandom } from '../seeded-random.ts';
import { spoil } from './hostile-json.ts';

export const FUZZED = [
  TOPICS.consents,
  TOPICS.policy,
  TOPICS.control,
  TOPICS.audit,
  TOPICS.quarantine,
] as const;
export type Fuzzed = (typeof FUZZED)[number];

export interface Hostile {
  readonly entry: LogEntry;
  /** True: the record is valid and must be accepted. */
  readonly good: boolean;
  /**
   * True: no reader may accept it as the original. If neither this nor `good`: the reader decides.
   */
  readonly never: boolean;
}

/** The policy's text and its digest. */
export interface Base {
  readonly policy: string;
  readonly log: string;
}

/** Every hundredth record is good and must be accepted among the others. */
export function hostileOf(topic: Fuzzed, seed: number, index: number, base: Base): Hostile {
  const random = new SeededRandom(seed * 1_000_003 + index * 31 + FUZZED.indexOf(topic));
  const json = goodText(topic, index, base);
  const good = index % 100 === 0;
  const spoiled = good ? { bytes: Buffer.from(json), never: false } : spoil(json, random);
  const odd = !good && random.chance(0.1);
  if (odd) return { entry: { topic, record: oddRecord(random) }, good: false, never: true };
  return {
    entry: { topic, record: recordOf(topic, index, spoiled.bytes, random.chance(0.5)) },
    good,
    never: spoiled.never,
  };
}

// No two differ by one byte or digit, or a changed record could become another one.
export const consentOf = (index: number): string =>
  `fuzz-${sha256(Buffer.from(`consent ${index}`)).slice(0, 32)}`;
export const versionOf = (index: number): number => 1_000 + index * 7_919;
export const serviceOf = (index: number): string =>
  sha256(Buffer.from(`service ${index}`))
    .slice(0, 32)
    .replaceAll(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)));

function goodText(topic: Fuzzed, index: number, { policy, log }: Base): string {
  switch (topic) {
    case TOPICS.consents:
      return `{"consentId":"${consentOf(index)}","purposes":["threat-sample-sharing"],"termsVersion":"2021-07"}`;
    // Far in the future, so that it decides nothing here.
    case TOPICS.policy:
      return policy
        .replace(/"version":\s*\d+/, `"version":${versionOf(index)}`)
        .replace(/"effectiveFrom":\s*"[^"]*"/, '"effectiveFrom":"2190-01-01T00:00:00Z"');
    case TOPICS.control:
      return `{"service":"${serviceOf(index)}","level":"debug"}`;
    case TOPICS.audit:
      return encodeAuditEvent(someAuditEvent(index, { partition: 0 })).toString();
    case TOPICS.quarantine:
      return `{"position":"${log}/threat.samples/0/${index}","reason":"TOO_LARGE","detail":"d","valueSha256":"${'0'.repeat(64)}","valueBytes":3}`;
    default:
      return topic satisfies never;
  }
}

const TYPES = {
  [TOPICS.consents]: 'consent.granted.v1',
  [TOPICS.policy]: 'policy.published.v1',
  [TOPICS.control]: 'residency.log-level.set.v1',
} as const;

function recordOf(
  topic: Fuzzed,
  index: number,
  bytes: Buffer,
  structured: boolean,
): LogEntry['record'] {
  if (topic === TOPICS.audit || topic === TOPICS.quarantine)
    return { key: Buffer.from(String(index)), headers: [], value: bytes };
  const event = {
    specversion: '1.0',
    id: `fuzz-${index}`,
    source: 'urn:test:fuzz',
    type: TYPES[topic],
    datacontenttype: 'application/json',
    extensions: { salt: SALT },
    data: bytes,
  } as const;
  return {
    key: Buffer.from(`fuzz-${index}`),
    ...(structured ? encodeKafkaStructured(event) : encodeKafkaBinary(event)),
  };
}

/**
 * A record that is not an event: tombstones, noise, repeated headers, a value of the largest size
 * of an audit record.
 */
function oddRecord(random: SeededRandom): LogEntry['record'] {
  return random.pick([
    () => ({ key: null, headers: [], value: null }),
    () => ({ key: Buffer.from('tick '), headers: [], value: Buffer.alloc(0) }),
    () => ({ key: random.bytes(300), headers: [], value: random.bytes(random.below(512)) }),
    () => ({
      key: null,
      headers: [
        ['content-type', Buffer.from('application/cloudevents+json')],
        ['content-type', Buffer.from('text/plain')],
      ] as const,
      value: Buffer.from('{}'),
    }),
    () => ({
      key: null,
      headers: [['content-type', Buffer.from('application/cloudevents+json')]] as const,
      value: Buffer.from(`{"a":${'['.repeat(random.below(20_000))}`),
    }),
    () => ({ key: null, headers: [], value: Buffer.alloc(65_535 + random.below(3), 'x') }),
  ])();
}
