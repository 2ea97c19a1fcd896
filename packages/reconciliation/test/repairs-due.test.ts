import {
  ORDER_CLOSED,
  SAMPLE_ERASED,
  SAMPLE_NOT_REPAIRED,
  SITE_REPAIR_ORDERED,
  controlEntry,
  controlEventIn,
  encodeCustodyEvent,
} from '@residency/contracts';
import type {
  CustodyEvent,
  LogEntry,
  LogRecord,
  RepairOrder,
  UnpaidCode,
} from '@residency/contracts';
import { RepairableCopies, orderRepairs } from '@residency/reconciliation';
import { defined } from '@residency/defined';
import type { Difference, RepairMode } from '@residency/reconciliation';
import { describe, expect, it } from 'vitest';
import { SALT } from '@residency/testkit';

const regions = new Map([
  ['zurich', new Set(['zrh-1', 'zrh-2'])],
  ['moscow', new Set(['mow-1'])],
]);
const positionOf = (offset: number): string => `log-1/threat.samples/0/${offset}`;

type Fact = Pick<CustodyEvent, 'type' | 'data'>;

/** The logs of a system, and what becomes of appends. */
class World {
  readonly control: LogRecord[] = [];
  readonly custody: Uint8Array[] = [];
  fault: 'pass' | 'fail' | 'fail-but-persist' = 'pass';
  #ids = 0;

  order(order: RepairOrder, principal?: string): void {
    const event = { type: SITE_REPAIR_ORDERED, data: order, ...defined({ principal }) } as const;
    this.#keep(controlEntry(event, `id-${(this.#ids += 1)}`, SALT));
  }

  happened(fact: Fact): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a fact with its place
    const event = { log: 'log-1', sequence: this.custody.length, at: 0, ...fact } as CustodyEvent;
    this.custody.push(encodeCustodyEvent(event));
  }

  closed(order: string, copied: number, unpaid = 0, refused?: 'SITE_NOT_OF_REGION'): void {
    const data = { previous: null, region: 'zurich', order, site: 'zrh-2', checked: 9 };
    this.happened({ type: ORDER_CLOSED, data: { ...data, copied, unpaid, refused } });
  }

  notRepaired(order: string, offset: number, code: UnpaidCode = 'NO_GOOD_COPY'): void {
    const about = { of: positionOf(offset), submission: '0'.repeat(64), region: 'zurich' };
    const data = { previous: null, ...about, site: 'zrh-2', order, code };
    this.happened({ type: SAMPLE_NOT_REPAIRED, data });
  }

  erased(repair: string, offset: number): void {
    const about = { of: positionOf(offset), submission: '0'.repeat(64), region: 'zurich' };
    const site = { site: 'zrh-2', sha256: '0'.repeat(64), versions: 0, setAside: 0, uploads: 0 };
    const order = '00000000-0000-4000-8000-000000000001';
    const data = { previous: null, ...about, order, repair, sites: [site] };
    this.happened({ type: SAMPLE_ERASED, data });
  }

  async run(mode: RepairMode, differences: readonly Partial<Difference>[]) {
    const copies = new RepairableCopies();
    for (const one of differences) copies.add({ code: 'OBJECT_MISSING', message: '', ...one });
    const { control, custody } = this;
    return await orderRepairs(
      copies,
      {
        control: async function* read() {
          yield* control.slice();
        },
        custody: async function* read() {
          yield* custody.slice();
        },
        append: async (entries) => {
          if (this.fault !== 'fail') entries.forEach((entry) => this.#keep(entry));
          if (this.fault !== 'pass') throw new Error(this.fault);
        },
      },
      { mode, regions, act: () => `act-${(this.#ids += 1)}`, salt: () => SALT },
    );
  }

  #keep({ record }: LogEntry): void {
    this.control.push({
      key: record.key ?? null,
      value: record.value ?? null,
      headers: record.headers ?? [],
      at: 0,
      partition: 0,
      offset: BigInt(this.control.length),
    } as LogRecord);
  }
}

const missing = (offset: number, site = 'zrh-2') => ({ site, position: positionOf(offset) });
const state = (repairs: readonly { readonly state: string }[]) => repairs.map((one) => one.state);

describe('copies that a site lacks', () => {
  it.each([
    'OBJECT_MISSING',
    'METADATA_MISSING',
    'SIZE_DIFFERS',
    'CIPHERTEXT_DIFFERS',
    'OBJECT_REPLACED',
    'ERASED_BUT_PRESENT',
    'TOMBSTONE_MISSING',
  ] as const)('%s: one order for each site, in auto', async (code) => {
    const w = new World();
    const found = [missing(1), missing(2), missing(3, 'mow-1')].map((one) => ({ ...one, code }));
    expect(await w.run('auto', found)).toEqual([
      { site: 'zrh-2', region: 'zurich', state: 'ordered' },
      { site: 'mow-1', region: 'moscow', state: 'ordered' },
    ]);
    expect(w.control).toHaveLength(2);
  });

  it('are proposed, and nothing is ordered, in propose', async () => {
    const w = new World();
    expect(state(await w.run('propose', [missing(1)]))).toEqual(['proposed']);
    expect(w.control).toEqual([]);
  });

  it('make no second order while one of anybody is open', async () => {
    const w = new World();
    w.order({ act: 'by-hand', region: 'zurich', site: 'zrh-2' });
    expect(state(await w.run('auto', [missing(1)]))).toEqual(['open']);
    expect(w.control).toHaveLength(1);
    w.closed('by-hand', 1);
    expect(state(await w.run('auto', [missing(1)]))).toEqual(['ordered']);
  });

  it.each([
    ['METADATA_DIFFERS'],
    ['WRONG_REGION'],
    ['CONTEXT_DIFFERS'],
    ['ERASED_WITHOUT_ORDER'],
  ] as const)('%s is for a person', async (code) => {
    expect(await new World().run('auto', [{ ...missing(1), code }])).toEqual([]);
  });

  it('in a site that no policy names make no order', async () => {
    expect(await new World().run('auto', [missing(1, 'nowhere')])).toEqual([]);
  });
});

describe('what an order could not mend', () => {
  it('makes no other order, and a copy that none has tried does', async () => {
    const w = new World();
    await w.run('auto', [missing(1), missing(2)]);
    const [act = ''] = actsOf(w);
    w.notRepaired(act, 1);
    w.closed(act, 1, 1);
    expect(await w.run('auto', [missing(1)])).toEqual([]);
    expect(state(await w.run('auto', [missing(1), missing(7)]))).toEqual(['ordered']);
  });

  it('makes another one if a record had the place of the copy that was not settled', async () => {
    const w = new World();
    await w.run('auto', [missing(1), missing(2)]);
    const [act = ''] = actsOf(w);
    w.notRepaired(act, 1, 'STRANGER_UNSETTLED');
    w.closed(act, 1, 1);
    expect(state(await w.run('auto', [missing(1)]))).toEqual(['ordered']);
  });

  it('makes another one if the last order erased a sample again, and copied nothing', async () => {
    const w = new World();
    await w.run('auto', [{ ...missing(1), code: 'ERASED_BUT_PRESENT' }]);
    const [act = ''] = actsOf(w);
    w.erased(act, 1);
    w.closed(act, 0);
    expect(state(await w.run('auto', [missing(2)]))).toEqual(['ordered']);
  });

  it('makes another one once it was erased again', async () => {
    const w = new World();
    await w.run('auto', [missing(1), missing(2)]);
    const [act = ''] = actsOf(w);
    w.notRepaired(act, 1);
    w.erased(act, 1);
    w.closed(act, 1, 1);
    expect(state(await w.run('auto', [{ ...missing(1), code: 'TOMBSTONE_MISSING' }]))).toEqual([
      'ordered',
    ]);
  });

  it.each([
    ['found everything good', undefined],
    ['was refused', 'SITE_NOT_OF_REGION'],
  ] as const)(
    'needs a person if an automatic order %s, until somebody orders one',
    async (_, why) => {
      const w = new World();
      await w.run('auto', [missing(1)]);
      w.closed(actsOf(w)[0] ?? '', 0, 0, why);
      for (let times = 0; times < 3; times += 1)
        expect(state(await w.run('auto', [missing(1)]))).toEqual(['proposed']);
      w.order({ act: 'by-hand', region: 'zurich', site: 'zrh-2' }, 'alice@ops-1');
      w.closed('by-hand', 1);
      expect(state(await w.run('auto', [missing(2)]))).toEqual(['ordered']);
    },
  );
});

describe('an append that ends as', () => {
  it('failed is made by the next run', async () => {
    const w = new World();
    w.fault = 'fail';
    await expect(w.run('auto', [missing(1)])).rejects.toThrow('fail');
    w.fault = 'pass';
    expect(state(await w.run('auto', [missing(1)]))).toEqual(['ordered']);
    expect(w.control).toHaveLength(1);
  });

  it('failed but persisted is not made again', async () => {
    const w = new World();
    w.fault = 'fail-but-persist';
    await expect(w.run('auto', [missing(1)])).rejects.toThrow('fail');
    w.fault = 'pass';
    expect(state(await w.run('auto', [missing(1)]))).toEqual(['open']);
    expect(w.control).toHaveLength(1);
  });
});

it('what is no event in either log is passed over', async () => {
  const w = new World();
  w.custody.push(Buffer.from('no event'));
  w.control.push({
    key: null,
    value: Buffer.from('none'),
    headers: [],
    at: 0,
  } as unknown as LogRecord);
  expect(state(await w.run('auto', [missing(1)]))).toEqual(['ordered']);
});

function actsOf({ control }: World): readonly string[] {
  return control.map((record) => {
    const event = controlEventIn(record);
    return event?.type === SITE_REPAIR_ORDERED ? event.data.act : '';
  });
}
