import { isDeepStrictEqual } from 'node:util';
import type { ConsentEvent } from '@residency/consent';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ConsentProjection } from '../src/ports/consent-projection.ts';
import { MemoryConsentLog } from './memory-consent-log.ts';
import { MemoryProjection } from './memory-projection.ts';
import type { Kept } from './memory-projection.ts';
import { caughtUp, run } from './running.ts';

type Happening =
  | { readonly kind: 'event'; readonly event: ConsentEvent; readonly later: number }
  | { readonly kind: 'tick' | 'bad'; readonly later: number }
  | { readonly kind: 'flush' | 'copy' | 'restore' }
  | { readonly kind: 'wait'; readonly turns: number };

const consentId = fc.constantFrom('consent-0001', 'consent-0002', 'consent-0003');
// Append time may go back within the margin.
const later = fc.integer({ min: -300, max: 400 });
const event: fc.Arbitrary<ConsentEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('granted' as const),
    consentId,
    purposes: fc.constant(['threat-sample-sharing']),
    termsVersion: fc.constantFrom('1', '2'),
  }),
  fc.record({ kind: fc.constant('withdrawn' as const), consentId }),
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('event' as const), event, later }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('tick' as const, 'bad' as const), later }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'copy' as const, 'restore' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      turns: fc.integer({ min: 0, max: 12 }),
    }),
  },
);

/**
 * The projection is at every moment what folding the log up to its position gives; checked after
 * each of its steps.
 */
class CheckedProjection extends MemoryProjection {
  readonly #log: MemoryConsentLog;
  readonly wrong: Kept[] = [];

  constructor(log: MemoryConsentLog) {
    super();
    this.#log = log;
  }

  override async apply(step: Parameters<ConsentProjection['apply']>[0]) {
    const answer = await super.apply(step);
    if (
      !isDeepStrictEqual(this.kept.histories, this.#log.histories(this.kept.position?.next ?? 0n))
    )
      this.wrong.push(this.kept);
    return answer;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

it('for any events in any batches, with any number of projectors, and Redis emptied and restored in between, the histories are the fold of the log', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 2 }),
      async (happenings, sizes, projectors) => {
        const log = new MemoryConsentLog();
        let batch = 0;
        log.batchSize = () => sizes[(batch += 1) % sizes.length] ?? 1;
        const projection = new CheckedProjection(log);
        const running = Array.from({ length: projectors }, () => run({ source: log, projection }));
        let latest = 1_000_000;
        let copy: Kept = projection.kept;
        for (const one of happenings) {
          switch (one.kind) {
            case 'wait':
              await turns(one.turns);
              break;
            case 'flush':
              projection.flush();
              break;
            case 'copy':
              copy = projection.kept;
              break;
            case 'restore':
              projection.kept = copy;
              break;
            case 'event':
              log.publish(one.event, latest + one.later);
              latest += Math.max(0, one.later);
              break;
            case 'tick':
              log.tick(latest + one.later);
              latest += Math.max(0, one.later);
              break;
            case 'bad':
              log.append({ key: null, headers: [], value: Buffer.from('{') }, latest + one.later);
              latest += Math.max(0, one.later);
              break;
            default:
              one satisfies never;
          }
        }
        log.tick(latest);
        await caughtUp(log, projection);
        await Promise.all(
          running.map(async ({ stop }) => {
            await stop();
          }),
        );
        expect(projection.wrong).toEqual([]);
        expect(projection.kept.histories).toEqual(log.histories());
        expect(projection.kept.position).toMatchObject({
          next: await log.end(),
          watermark: latest,
          halted: false,
        });
      },
    ),
    { numRuns: 150 },
  );
});
