import { canonicalJson } from '@residency/residency';
import fc from 'fast-check';
import { expect, it } from 'vitest';

export interface EventCodec<Event> {
  readonly events: fc.Arbitrary<Event>;
  readonly encode: (event: Event) => Buffer;
  readonly decode: (bytes: Uint8Array) => Event;
  readonly eventIn: (value: Uint8Array | null | undefined) => Event | undefined;
  /** The code of the errors of `decode`. */
  readonly invalid: string;
}

/** What holds for every event whose value is its own RFC 8785 form. Call it in a `describe`. */
export function testEventCodec<Event>({
  events,
  encode,
  decode,
  eventIn,
  invalid,
}: EventCodec<Event>): void {
  it('decodes to what was encoded, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(events, (original) => {
        const bytes = encode(original);
        const decoded = decode(bytes);
        expect(decoded).toEqual(original);
        expect(encode(decoded).equals(bytes)).toBe(true);
      }),
    );
  });

  it('is found in a value, and nothing is found in anything else', () => {
    fc.assert(
      fc.property(events, fc.uint8Array(), (event, other) => {
        expect(eventIn(encode(event))).toEqual(event);
        expect(eventIn(other)).toBeUndefined();
      }),
    );
    for (const none of [null, undefined, Buffer.alloc(0), Buffer.from('{}')])
      expect(eventIn(none)).toBeUndefined();
  });

  it('is canonical JSON', () => {
    fc.assert(
      fc.property(events, (event) => {
        const text = encode(event).toString('utf8');
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('never decodes silently with a byte missing', () => {
    fc.assert(
      fc.property(events, fc.nat(), (original, at) => {
        const bytes = encode(original);
        expect(() => decode(bytes.subarray(0, at % bytes.length))).toThrow(
          expect.objectContaining({ code: invalid }),
        );
      }),
    );
  });
}
