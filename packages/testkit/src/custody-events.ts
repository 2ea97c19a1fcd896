import {
  SAMPLE_COPIED,
  custodyDigest,
  encodeCustodyEvent,
  objectKey,
  sha256OfParts,
} from '@residency/contracts';

export interface SomeCustodyEventOptions {
  readonly log?: string;
  readonly region?: string;
  readonly previous?: string | null;
}

/** The bytes of the nth event of a region's custody log: `zrh-2` got a copy from `zrh-1`. */
export function someCustodyEvent(
  nth: number,
  { log = 'log-1', region = 'zurich', previous = null }: SomeCustodyEventOptions = {},
): Buffer {
  const submission = sha256OfParts('urn:example', `${nth}`);
  return encodeCustodyEvent({
    log,
    sequence: nth,
    at: Date.UTC(2026, 0, 1) + nth,
    type: SAMPLE_COPIED,
    data: {
      previous,
      of: `${log}/threat.samples/0/${nth}`,
      submission,
      region,
      from: 'zrh-1',
      copy: {
        site: 'zrh-2',
        key: objectKey(submission),
        sealedSha256: sha256OfParts('sealed', `${nth}`),
        sealedBytes: 1_000,
        wrappingKey: 'key-1',
      },
    },
  });
}

/** The first `count` events of a region's custody log, each of which names the one before it. */
export function someCustodyEvents(
  count: number,
  options: Omit<SomeCustodyEventOptions, 'previous'> = {},
): readonly Buffer[] {
  const events: Buffer[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const before = events.at(-1);
    events.push(
      someCustodyEvent(nth, {
        ...options,
        previous: before === undefined ? null : custodyDigest(before),
      }),
    );
  }
  return events;
}
