import { describe, expect, it } from 'vitest';
import {
  SAMPLE_COPIED,
  LOSS_CLOSED,
  LOSS_REFUSED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  custodyDigest,
  custodyEntry,
  custodyEntryOf,
  custodyEventIn,
  custodyTopic,
  decodeCustodyEvent,
  encodeCustodyEvent,
  regionOfCustody,
  restoredCustodyEntry,
  isOfOrder,
  sampleCopied,
  sampleErased,
  sampleLost,
  sha256,
} from '../src/index.ts';
import type { CopiedEvent, CustodyEvent, ErasedEvent, LostEvent } from '../src/index.ts';
import { custodyEvents } from './arbitraries.ts';
import { testEventCodec } from './event-codec-suite.ts';

const SUBMISSION = 'a'.repeat(64);
const EVENT: CopiedEvent = {
  log: 'log-1',
  sequence: 7,
  at: 1_700_000_000_000,
  type: SAMPLE_COPIED,
  data: {
    previous: 'b'.repeat(64),
    of: 'log-1/threat.samples/0/42',
    submission: SUBMISSION,
    region: 'zurich',
    from: 'zrh-1',
    copy: {
      site: 'zrh-2',
      key: `samples/aa/aa/${SUBMISSION}`,
      sealedSha256: 'c'.repeat(64),
      sealedBytes: 1_043,
      wrappingKey: 'zurich-1',
    },
  },
};

const ORDER = '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d';
const erasedAt = { sha256: 'd'.repeat(64), versions: 2, setAside: 1, uploads: 0 };
const ERASED: ErasedEvent = {
  log: 'log-1',
  sequence: 8,
  at: 1_700_000_000_000,
  type: SAMPLE_ERASED,
  data: {
    previous: 'b'.repeat(64),
    of: 'log-1/threat.samples/0/42',
    submission: SUBMISSION,
    region: 'zurich',
    order: ORDER,
    sites: [
      { site: 'zrh-1', ...erasedAt, versionId: 'v-9' },
      { site: 'zrh-2', ...erasedAt },
    ],
  },
};

const about = {
  previous: 'b'.repeat(64),
  of: 'log-1/threat.samples/0/42',
  submission: SUBMISSION,
  region: 'zurich',
  order: ORDER,
};
const LOST: LostEvent = {
  log: 'log-1',
  sequence: 9,
  at: 1_700_000_000_000,
  type: SAMPLE_LOST,
  data: {
    ...about,
    sites: [
      { site: 'zrh-1', found: 'nothing' },
      { site: 'zrh-2', found: 'another' },
    ],
  },
};

describe('a custody event of a loss', () => {
  it('has the documented bytes, and its submission as key', () => {
    expect(encodeCustodyEvent(LOST).toString()).toBe(
      `{"causationid":"${SUBMISSION}","data":{"of":"log-1/threat.samples/0/42","order":"${ORDER}","previous":"${'b'.repeat(64)}","region":"zurich","sites":[{"found":"nothing","site":"zrh-1"},{"found":"another","site":"zrh-2"}],"submission":"${SUBMISSION}"},"datacontenttype":"application/json","id":"9","sequence":"00000000000000000009","source":"/residency/log-1/residency.custody.zurich","specversion":"1.0","time":"2023-11-14T22:13:20.000Z","type":"residency.sample.lost.v1"}`,
    );
    expect(custodyEntry(LOST).record.key).toEqual(Buffer.from(SUBMISSION));
    expect(sampleLost(LOST)).toEqual({
      type: 'lost',
      of: about.of,
      submission: SUBMISSION,
      region: 'zurich',
      order: ORDER,
      sites: ['zrh-1', 'zrh-2'],
    });
  });

  it('that ends an order has the order as key; neither is of a repair', () => {
    const { of: _, submission: __, ...closing } = about;
    const closed: CustodyEvent = {
      ...LOST,
      type: LOSS_CLOSED,
      data: { ...closing, lost: 1, refused: 2 },
    };
    expect(custodyEntry(closed).record.key).toEqual(Buffer.from(ORDER));
    for (const event of [LOST, closed]) expect(isOfOrder(event, ORDER)).toBe(false);
  });

  it.each<[string, object]>([
    ['no site', { sites: [] }],
    ['something else found', { sites: [{ site: 'zrh-1', found: 'good' }] }],
    ['an order that is no UUID', { order: 'x' }],
    ['no position', { of: undefined }],
  ])('with %s is refused', (_, change) => {
    const json = JSON.parse(encodeCustodyEvent(LOST).toString()) as { data: object };
    json.data = { ...json.data, ...change };
    expect(() => decodeCustodyEvent(Buffer.from(JSON.stringify(json)))).toThrow(
      expect.objectContaining({ code: 'INVALID_CUSTODY_EVENT' }),
    );
  });

  it('may be refused without a position, with one of six codes', () => {
    const { of: _, ...unknown } = about;
    const refused = (code: string): Buffer => {
      const event = { ...LOST, type: LOSS_REFUSED, data: { ...unknown, code } };
      return encodeCustodyEvent(event as CustodyEvent);
    };
    expect(decodeCustodyEvent(refused('NOT_STORED')).data).toEqual({
      ...unknown,
      code: 'NOT_STORED',
    });
    expect(() => decodeCustodyEvent(refused('BECAUSE'))).toThrow(
      expect.objectContaining({ code: 'INVALID_CUSTODY_EVENT' }),
    );
  });
});

describe('a custody event', () => {
  testEventCodec({
    events: custodyEvents,
    encode: encodeCustodyEvent,
    decode: decodeCustodyEvent,
    eventIn: custodyEventIn,
    invalid: 'INVALID_CUSTODY_EVENT',
  });

  it.each<[string, (json: Record<string, unknown>) => void]>([
    [
      'a sequence that is not its id',
      (json) => {
        json['sequence'] = '8'.padStart(20, '0');
      },
    ],
    [
      'an id that is no safe integer',
      (json) => {
        json['id'] = String(2 ** 53);
        json['sequence'] = String(2 ** 53).padStart(20, '0');
      },
    ],
    [
      "another region's source",
      (json) => {
        json['source'] = '/residency/log-1/residency.custody.moscow';
      },
    ],
    [
      'a cause that is not its submission',
      (json) => {
        json['causationid'] = 'f'.repeat(64);
      },
    ],
    [
      'a member nobody knows',
      (json) => {
        json['filename'] = 'x';
      },
    ],
    [
      'data with a member nobody knows',
      (json) => {
        json['data'] = { ...EVENT.data, adopted: true };
      },
    ],
    [
      'a type nobody knows',
      (json) => {
        json['type'] = 'residency.sample.stored.v1';
      },
    ],
  ])('with %s is refused', (_, change) => {
    const json = JSON.parse(encodeCustodyEvent(EVENT).toString()) as Record<string, unknown>;
    expect(decodeCustodyEvent(Buffer.from(JSON.stringify(json))).sequence).toBe(7);
    change(json);
    expect(() => decodeCustodyEvent(Buffer.from(JSON.stringify(json)))).toThrow(
      expect.objectContaining({ code: 'INVALID_CUSTODY_EVENT' }),
    );
  });

  it('has the documented bytes', () => {
    expect(encodeCustodyEvent(EVENT).toString()).toBe(
      `{"causationid":"${SUBMISSION}","data":{"copy":{"key":"samples/aa/aa/${SUBMISSION}","sealedBytes":1043,"sealedSha256":"${'c'.repeat(64)}","site":"zrh-2","wrappingKey":"zurich-1"},"from":"zrh-1","of":"log-1/threat.samples/0/42","previous":"${'b'.repeat(64)}","region":"zurich","submission":"${SUBMISSION}"},"datacontenttype":"application/json","id":"7","sequence":"00000000000000000007","source":"/residency/log-1/residency.custody.zurich","specversion":"1.0","time":"2023-11-14T22:13:20.000Z","type":"residency.sample.copied.v1"}`,
    );
  });

  it('of an erasure has the documented bytes, and its submission as key', () => {
    const site = (name: string, more = ''): string =>
      `{"setAside":1,"sha256":"${'d'.repeat(64)}","site":"${name}","uploads":0,${more}"versions":2}`;
    expect(encodeCustodyEvent(ERASED).toString()).toBe(
      `{"causationid":"${SUBMISSION}","data":{"of":"log-1/threat.samples/0/42","order":"${ORDER}","previous":"${'b'.repeat(64)}","region":"zurich","sites":[${site('zrh-1', '"versionId":"v-9",')},${site('zrh-2')}],"submission":"${SUBMISSION}"},"datacontenttype":"application/json","id":"8","sequence":"00000000000000000008","source":"/residency/log-1/residency.custody.zurich","specversion":"1.0","time":"2023-11-14T22:13:20.000Z","type":"residency.sample.erased.v1"}`,
    );
    expect(custodyEntry(ERASED).record.key).toEqual(Buffer.from(SUBMISSION));
  });

  it('of an erasure is folded as the sites that it names, and is of no order to repair', () => {
    const { of, submission, region } = ERASED.data;
    expect(sampleErased(ERASED)).toEqual({
      type: 'erased',
      of,
      submission,
      region,
      order: ORDER,
      sites: ['zrh-1', 'zrh-2'],
    });
    expect(isOfOrder(ERASED, ORDER)).toBe(false);
    expect(isOfOrder({ ...EVENT, data: { ...EVENT.data, order: ORDER } }, ORDER)).toBe(true);
  });

  it.each<[string, object]>([
    ['no site', { sites: [] }],
    ['a site without a count', { sites: [{ site: 'zrh-1', sha256: 'd'.repeat(64), versions: 1 }] }],
    ['a negative count', { sites: [{ site: 'zrh-1', ...erasedAt, uploads: -1 }] }],
    ['half a version', { sites: [{ site: 'zrh-1', ...erasedAt, versions: 0.5 }] }],
    ['half a set-aside object', { sites: [{ site: 'zrh-1', ...erasedAt, setAside: 0.5 }] }],
    ['no digest', { sites: [{ site: 'zrh-1', ...erasedAt, sha256: '' }] }],
    ['an order that is no UUID', { order: 'order-1' }],
    ['the digest of the sample', { sampleSha256: 'e'.repeat(64) }],
  ])('of an erasure with %s is refused', (_, change) => {
    const json = JSON.parse(encodeCustodyEvent(ERASED).toString()) as { data: object };
    const changed = { ...json, data: { ...ERASED.data, ...change } };
    expect(custodyEventIn(Buffer.from(JSON.stringify(json)))).toEqual(ERASED);
    expect(() => decodeCustodyEvent(Buffer.from(JSON.stringify(changed)))).toThrow(
      expect.objectContaining({ code: 'INVALID_CUSTODY_EVENT' }),
    );
  });

  it('beyond 16 KiB is refused before any transaction begins', () => {
    expect(() =>
      encodeCustodyEvent({ ...EVENT, data: { ...EVENT.data, from: 'x'.repeat(17_000) } }),
    ).toThrow(expect.objectContaining({ code: 'CUSTODY_EVENT_TOO_LARGE' }));
  });

  it('is one entry of its topic, whether it is given or its bytes are', () => {
    const value = encodeCustodyEvent(EVENT);
    expect(custodyEntry(EVENT)).toEqual({
      topic: custodyTopic('zurich'),
      record: {
        key: Buffer.from(SUBMISSION),
        headers: [['content-type', Buffer.from('application/cloudevents+json')]],
        value,
      },
    });
    expect(custodyEntryOf(value, 'zurich')).toEqual(custodyEntry(EVENT));
  });

  it.each([
    ["another region's bytes", encodeCustodyEvent(EVENT), 'moscow'],
    ['bytes that are no event', Buffer.from('{}'), 'zurich'],
  ])('has no entry for %s', (_, value, region) => {
    expect(() => custodyEntryOf(value, region)).toThrow(
      expect.objectContaining({ code: 'INVALID_CUSTODY_EVENT' }),
    );
  });

  it('is chained by its digest, and folded as what was copied', () => {
    const value = encodeCustodyEvent(EVENT);
    expect(custodyDigest(value)).toBe(sha256(value));
    const { of, submission, region, copy } = EVENT.data;
    expect(sampleCopied(EVENT)).toEqual({
      type: 'copied',
      of,
      submission,
      region,
      copy,
      isRepair: false,
    });
    const repaired = { ...EVENT, data: { ...EVENT.data, order: 'order-1' } };
    expect(sampleCopied(repaired).isRepair).toBe(true);
  });
});

it('a region has one custody topic, and the topic one region', () => {
  expect(regionOfCustody(custodyTopic('zurich'))).toBe('zurich');
  for (const topic of ['residency.audit', 'residency.custody.', 'residency.custody.A', 'x', ''])
    expect(regionOfCustody(topic)).toBeUndefined();
});

it('a value that a ledger has goes back with its key, and without one if it is no custody event', () => {
  const entry = custodyEntry(EVENT);
  expect(restoredCustodyEntry(entry.record.value ?? Buffer.alloc(0), 'zurich')).toEqual(entry);
  expect(restoredCustodyEntry(Buffer.from('{}'), 'zurich')).toEqual({
    topic: custodyTopic('zurich'),
    record: { key: null, headers: [], value: Buffer.from('{}') },
  });
});
