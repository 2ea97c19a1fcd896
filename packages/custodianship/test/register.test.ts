import { CodedError } from '@residency/coded-error';
import {
  ALL_IN_SERVICE,
  INITIAL_CONTROL,
  encodeCustodyEvent,
  submissionOfKey,
} from '@residency/contracts';
import { KeySet, findClaims } from '@residency/custodianship';
import type {
  FoundClaims,
  PassedOverCode,
  RegisterKeeping,
  TakeOver,
} from '@residency/custodianship';
import { MemoryObjectStore, MemoryRegisterStore } from '@residency/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRegister, encodeRegister } from '../src/register-format.ts';
import type { Register } from '../src/register-format.ts';
import { CustodyWorld, NOW, keyOf } from './custody-world.ts';

const running = new AbortController().signal;
const TOPICS = { audit: 'audit-1', custody: 'custody-1' };

interface Kept {
  readonly keeping: RegisterKeeping;
  readonly passedOver: PassedOverCode[];
  readonly failed: unknown[];
}

function kept(store: RegisterKeeping['store'], over: Partial<RegisterKeeping> = {}): Kept {
  const [passedOver, failed]: [PassedOverCode[], unknown[]] = [[], []];
  return {
    passedOver,
    failed,
    keeping: {
      store,
      topics: TOPICS,
      passedOver: (code) => passedOver.push(code),
      opened: () => undefined,
      saved: () => undefined,
      failed: (error) => failed.push(error),
      ...over,
    },
  };
}

/** A custodian that starts, finds all debts and pays none, with what it read and what it knows then. */
async function takeOver(
  w: CustodyWorld,
  store?: MemoryRegisterStore,
): Promise<{
  readonly knows: ReturnType<typeof comparable> | undefined;
  readonly read: TakeOver | undefined;
  readonly passedOver: readonly PassedOverCode[];
  readonly owed: readonly (readonly [string, number])[];
}> {
  const away = new Set(w.away);
  for (const site of ['zrh-1', 'zrh-2', 'zrh-3']) w.away.add(site);
  const after = new MemoryRegisterStore();
  const before = store?.bytes === undefined ? undefined : Buffer.from(store.bytes);
  const { keeping, passedOver } = kept({
    read: async () => (before === undefined ? undefined : { bytes: before, at: 0 }),
    replace: (pieces) => after.replace(pieces),
  });
  let read: TakeOver | undefined;
  const custodian = await w.custodian({
    register: keeping,
    tookOver: (what) => {
      read = what;
    },
  });
  const { debts } = await custodian.round(running);
  // Of a log without a record nothing is kept.
  await custodian.keep();
  w.away.clear();
  for (const site of away) w.away.add(site);
  const register = decodeRegister(after.bytes ?? before ?? Buffer.alloc(0));
  return {
    // A change of the sites alone, without a record, is not saved.
    knows:
      register === undefined ? undefined : comparable({ ...register, sites: [...debts.keys()] }),
    read,
    passedOver,
    owed: [...debts].map(([site, { owed }]) => [site, owed] as const),
  };
}

/** Without the orders of maps. How old the oldest debt is may be too old until the next payment. */
function comparable({ head, debts, audit, ...rest }: Register) {
  const byName = <T extends readonly [string, ...unknown[]]>(all: readonly T[]): readonly T[] =>
    all.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sets = (all: Register['debts']['due']) =>
    byName(all.map(({ site, partition, words }) => [`${site} ${partition}`, [...words]] as const));
  return {
    ...rest,
    end: head.end,
    closed: head.closed.toSorted(),
    repaired: sets(head.repaired),
    notRepaired: sets(head.notRepaired),
    pages: byName(
      head.prints.pages.map(
        ({ of, first, words }) => [`${of} ${first}`, words.flatMap((page) => [...page])] as const,
      ),
    ),
    later: byName(
      head.prints.later.map(([key, prints]) => [key, prints.toSorted((a, b) => a - b)] as const),
    ),
    due: sets(debts.due),
    sitesWithAge: byName(debts.oldestAt.map(([site]) => [site] as const)),
    audit,
  };
}

/** The claims if `next` is to arbitrate, without or with a custodian's register. */
async function claims(
  w: CustodyWorld,
  next: string,
  store?: MemoryRegisterStore,
): Promise<Omit<FoundClaims, 'auditRecords'>> {
  const keys = new KeySet();
  const site = w.routing.sites.get(next);
  for (const key of site instanceof MemoryObjectStore ? site.objects.keys() : [])
    keys.add(submissionOfKey(key) ?? '');
  const found = await findClaims({
    sites: [next],
    audit: w.feed(),
    custody: w.open(),
    listed: Promise.resolve(new Map([[next, keys]])),
    ...(store === undefined ? {} : { register: kept(store).keeping }),
  });
  return { claims: found.claims, unheld: found.unheld };
}

type Step =
  | { readonly kind: 'store'; readonly without: readonly string[] }
  | { readonly kind: 'round'; readonly by: 'a' | 'b' | 'none'; readonly keep: boolean }
  | { readonly kind: 'away' | 'back' | 'damage'; readonly site: string }
  | { readonly kind: 'repair'; readonly site: string; readonly act: number }
  | { readonly kind: 'out' | 'in'; readonly site: string }
  | { readonly kind: 'third' | 'foreign' | 'other ciphertext' };

const later = fc.constantFrom('zrh-2', 'zrh-3');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      without: fc.constantFrom(['zrh-2', 'zrh-3'], ['zrh-2'], []),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('round' as const),
      by: fc.constantFrom('a' as const, 'b' as const, 'none' as const),
      keep: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constantFrom('away' as const, 'back' as const), site: later }),
  fc.record({ kind: fc.constant('damage' as const), site: fc.constantFrom('zrh-1', 'zrh-2') }),
  fc.record({ kind: fc.constant('repair' as const), site: later, act: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constantFrom('out' as const, 'in' as const), site: later }),
  fc.record({ kind: fc.constantFrom('third' as const, 'foreign' as const) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('other ciphertext' as const) }) },
);

/** A history of a region, in which two custodians keep registers of their own and a third keeps none. */
class History {
  readonly w = new CustodyWorld();
  readonly a = new MemoryRegisterStore();
  readonly b = new MemoryRegisterStore();
  #stored = 0;
  #third = false;
  #out = new Set<string>();

  async take(one: Step): Promise<void> {
    const { w } = this;
    switch (one.kind) {
      case 'store':
        await w.stored(`n-${this.#stored}`, one.without);
        this.#stored += 1;
        return;
      case 'round':
        await this.#round(one);
        return;
      case 'away':
        w.away.add(one.site);
        return;
      case 'back':
        w.away.delete(one.site);
        return;
      case 'damage':
        w.store(one.site).objects.delete(keyOf(`n-${Math.max(0, this.#stored - 1)}`));
        return;
      case 'repair':
        w.orders.push({ act: `order-${one.act}`, region: 'zurich', site: one.site });
        return;
      case 'out':
      case 'in':
        if (one.kind === 'out') this.#out.add(one.site);
        else this.#out.delete(one.site);
        w.control = {
          ...INITIAL_CONTROL,
          services: {
            zurich: { ...ALL_IN_SERVICE, out: new Map([...this.#out].map((site) => [site, 1])) },
          },
        };
        return;
      case 'third':
        if (!this.#third) w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
        this.#third = true;
        return;
      case 'foreign':
        w.custody.push(Buffer.from('no event'));
        return;
      case 'other ciphertext':
        this.#otherCiphertext();
        return;
      default:
        one satisfies never;
    }
  }

  /** A take-over by one of the custodians. */
  async #round({ by, keep }: Extract<Step, { readonly kind: 'round' }>): Promise<void> {
    const { w } = this;
    w.elapsed += 120_000;
    const register = by === 'none' ? {} : { register: kept(this[by], { afterRecords: 2 }).keeping };
    const custodian = await w.custodian(register);
    await custodian.round(running);
    w.elapsed += 120_000;
    await custodian.round(running);
    if (keep) await custodian.keep();
  }

  /** The event of a copy of something else, as whoever may write to the log could append it. */
  #otherCiphertext(): void {
    const { w } = this;
    const last = w.all.at(-1);
    const copied = w.events.at(-1);
    if (last === undefined || copied === undefined) return;
    const copy = { ...copied.data.copy, sealedBytes: copied.data.copy.sealedBytes + 1 };
    w.custody.push(
      encodeCustodyEvent({
        ...copied,
        sequence: last.sequence + 1,
        data: { ...copied.data, copy },
      }),
    );
  }
}

describe('a custodian that starts with a register', () => {
  it('knows what one knows that reads everything, however old the register is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        const history = new History();
        for (const one of steps) {
          await history.take(one);
          if (one.kind === 'round') continue;
          const whole = await takeOver(history.w);
          for (const store of [history.a, history.b]) {
            const resumed = await takeOver(history.w, store);
            expect(resumed.passedOver).toEqual([]);
            expect(resumed.owed).toEqual(whole.owed);
            expect(resumed.knows).toEqual(whole.knows);
            for (const next of ['zrh-2', 'zrh-3'])
              expect(await claims(history.w, next, store)).toEqual(await claims(history.w, next));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('reads only what came after it', async () => {
    const w = new CustodyWorld();
    for (let n = 0; n < 5; n += 1) await w.stored(`n-${n}`, ['zrh-2']);
    const store = new MemoryRegisterStore();
    const first = await w.custodian({ register: kept(store).keeping });
    await first.round(running);
    await first.keep();
    expect((await takeOver(w)).read).toEqual({ auditRecords: 5, custodyRecords: 5 });
    expect((await takeOver(w, store)).read).toEqual({ auditRecords: 0, custodyRecords: 0 });
    await w.stored('later', ['zrh-2']);
    expect((await takeOver(w, store)).read).toEqual({ auditRecords: 1, custodyRecords: 0 });
    await (await w.custodian()).round(running);
    expect((await takeOver(w, store)).read).toEqual({ auditRecords: 1, custodyRecords: 1 });
  });

  it('pays nothing that another one paid meanwhile', async () => {
    const w = new CustodyWorld();
    for (let n = 0; n < 5; n += 1) await w.stored(`n-${n}`, n % 2 === 0 ? ['zrh-2'] : []);
    w.away.add('zrh-2');
    const store = new MemoryRegisterStore();
    const first = await w.custodian({ register: kept(store).keeping });
    await first.round(running);
    await first.keep();
    w.away.clear();
    await (await w.custodian()).round(running);
    expect(w.events).toHaveLength(3);
    const { read, owed } = await takeOver(w, store);
    expect(owed).toContainEqual(['zrh-2', 0]);
    // The debts were looked through, from the first one to the last.
    expect(read).toEqual({ auditRecords: 5, custodyRecords: 3 });
    const next = await w.custodian({ register: kept(store).keeping });
    expect((await next.round(running)).copied).toBe(0);
    expect(w.events).toHaveLength(3);
  });

  it('knows of several events about one copy, also if everything is looked through once more', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    await (await w.custodian()).round(running);
    const [copied] = w.events;
    if (copied === undefined) throw new Error('Expected a copy.');
    const { copy } = copied.data;
    const other = { ...copy, sealedBytes: copy.sealedBytes + 1 };
    w.custody.unshift(encodeCustodyEvent({ ...copied, data: { ...copied.data, copy: other } }));
    w.custody[1] = encodeCustodyEvent({ ...copied, sequence: 1 });
    const store = new MemoryRegisterStore();
    const first = await w.custodian({ register: kept(store).keeping });
    await first.round(running);
    await first.keep();
    w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
    const { read, owed } = await takeOver(w, store);
    expect(owed).toEqual([
      ['zrh-1', 0],
      ['zrh-2', 0],
      ['zrh-3', 1],
    ]);
    expect(read).toEqual({ auditRecords: 1, custodyRecords: 0 });
  });

  it('owes what a person must look at, and tries it at once', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const good = w.store('zrh-1').objects.get(keyOf('x'));
    w.store('zrh-1').objects.clear();
    const store = new MemoryRegisterStore();
    const first = await w.custodian({ register: kept(store).keeping });
    expect([...(await first.round(running)).unpaid]).toEqual([['NO_GOOD_COPY', 1]]);
    await first.keep();
    const report = first.report();
    expect([...report.unpaid, report.debts.get('zrh-2')]).toEqual([
      ['NO_GOOD_COPY', 1],
      { owed: 1, oldestAt: NOW },
    ]);
    if (good !== undefined) w.store('zrh-1').objects.set(keyOf('x'), good);
    const next = await w.custodian({ register: kept(store).keeping });
    expect((await next.round(running)).copied).toBe(1);
  });
});

describe('a register', () => {
  it('is read back as it was written, wherever its bytes begin', async () => {
    const { store } = await someRegister();
    const bytes = store.bytes ?? Buffer.alloc(0);
    const register = decode(bytes);
    for (let shift = 0; shift < 8; shift += 1) {
      const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
      expect(decode(shifted)).toEqual(register);
    }
    expect(Buffer.concat([...encodeRegister(register)])).toEqual(bytes);
  });

  it('holds no sample, submission, subject or name of a file', async () => {
    const { store } = await someRegister();
    expect(store.bytes?.toString('latin1')).not.toMatch(
      /harmless|consent|subject|samples\/[0-9a-f]{64}/,
    );
  });

  it.each<[string, (register: Register) => unknown, PassedOverCode]>([
    ['another log', (r) => ({ ...r, log: 'log-2' }), 'REGISTER_OF_ANOTHER'],
    ['another region', (r) => ({ ...r, region: 'moscow' }), 'REGISTER_OF_ANOTHER'],
    [
      'another audit topic',
      (r) => ({ ...r, topics: { ...r.topics, audit: 'audit-0' } }),
      'REGISTER_OF_ANOTHER',
    ],
    [
      'another custody topic',
      (r) => ({ ...r, topics: { ...r.topics, custody: 'custody-0' } }),
      'REGISTER_OF_ANOTHER',
    ],
    ['topics without ids', (r) => ({ ...r, topics: {} }), 'REGISTER_OF_ANOTHER'],
    [
      'another last custody event',
      (r) => withEnd(r, { digest: 'f'.repeat(64) }),
      'REGISTER_AHEAD_OF_LOG',
    ],
    ['a place before its own', (r) => withEnd(r, { offset: 0n }), 'REGISTER_AHEAD_OF_LOG'],
    ['a place behind the log', (r) => withEnd(r, { offset: 99n }), 'REGISTER_AHEAD_OF_LOG'],
    [
      'another audit event',
      (r) => ({ ...r, audit: r.audit.map((one) => ({ ...one, digest: 'f'.repeat(64) })) }),
      'REGISTER_AHEAD_OF_LOG',
    ],
    [
      'an audit place before its own',
      (r) => ({ ...r, audit: r.audit.map((one) => ({ ...one, offset: 0n })) }),
      'REGISTER_AHEAD_OF_LOG',
    ],
    [
      'an audit place behind the log',
      (r) => ({ ...r, audit: r.audit.map((one) => ({ ...one, offset: 99n })) }),
      'REGISTER_AHEAD_OF_LOG',
    ],
    [
      'a partition that the log does not have',
      (r) => ({ ...r, audit: [...r.audit, { partition: 7, offset: 0n, digest: 'f'.repeat(64) }] }),
      'REGISTER_AHEAD_OF_LOG',
    ],
  ])('of %s is passed over, and everything is read', async (_, change, code) => {
    const { w, store } = await someRegister();
    const whole = await takeOver(w);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a register must not be, too
    const other = change(decode(store.bytes ?? Buffer.alloc(0))) as Register;
    store.bytes = Buffer.concat([...encodeRegister(other)]);
    const { passedOver, ...found } = await takeOver(w, store);
    expect([passedOver, found]).toEqual([[code], without(whole, 'passedOver')]);
  });

  it.each<[string, (line: string) => string]>([
    ['an earlier format', (line) => line.replace('register/3', 'register/2')],
    ['a later format', (line) => line.replace('register/3 ', 'register/30 ')],
    ['the other order of bytes', (line) => line.replace(/"little":\w+/, '"little":0')],
    ['no JSON', (line) => line.replace('{', '[')],
    ['an offset below 0', (line) => line.replace('"offset":"', '"offset":"-')],
    ['an offset that is no text', (line) => line.replace(/"offset":"\d+"/, '"offset":1')],
    ['a sequence that is no number', (line) => line.replace(/"sequence":\d+/, '"sequence":"1"')],
    [
      'a place of a page that is no number',
      (line) => line.replace(/("prints","[^"]*",)"0"/, '$1"x"'),
    ],
    ['a record that no position names', (line) => line.replace('"of":"log-1/', '"of":"log-1')],
    ['a block too many', (line) => line.replace('"blocks":[', '"blocks":[["due","zrh-2","0",1],')],
    ['a block too long', (line) => line.replace('"0",1024]', '"0",1025]')],
    ['a block too short', (line) => line.replace('"0",1024]', '"0",1023]')],
    ['a block below nothing', (line) => line.replace('"0",1024]', '"0",-1]')],
    ...[
      'log',
      'region',
      'topics',
      'sites',
      'end',
      'closed',
      'later',
      'oldestAt',
      'settled',
      'named',
      'places',
      'blocks',
    ].flatMap((field): [string, (line: string) => string][] => [
      [`no ${field}`, (line) => line.replace(`"${field}":`, '"another":')],
      [
        `${field} of another kind`,
        (line) => line.replace(`"${field}":`, `"${field}":7,"another":`),
      ],
    ]),
  ])('with %s is passed over, and everything is read', async (_, change) => {
    const { w, store } = await someRegister();
    const whole = await takeOver(w);
    const bytes = store.bytes ?? Buffer.alloc(0);
    const at = bytes.indexOf('\n');
    const line = bytes.subarray(0, at).toString();
    expect(change(line)).not.toBe(line);
    store.bytes = Buffer.concat([Buffer.from(change(line)), bytes.subarray(at)]);
    const { passedOver, ...found } = await takeOver(w, store);
    expect([passedOver, found]).toEqual([['REGISTER_FORMAT'], without(whole, 'passedOver')]);
  });

  it('that is cut or changed anywhere never ends a start', async () => {
    const { w, store } = await someRegister();
    const bytes = store.bytes ?? Buffer.alloc(0);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: bytes.indexOf('\n') }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          store.bytes = Buffer.from(bytes);
          store.bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
          expect((await takeOver(w, store)).read).toBeDefined();
          store.bytes = bytes.subarray(0, at);
          expect((await takeOver(w, store)).passedOver).toEqual(['REGISTER_FORMAT']);
        },
      ),
    );
  });

  it.each<[string, (w: CustodyWorld) => void]>([
    ['the custody log lost its end', (w) => w.custody.splice(2)],
    ['the audit log lost its end', (w) => w.audit.splice(3)],
    ['the custody log was emptied', (w) => w.custody.splice(0)],
    ['the audit log was emptied', (w) => w.audit.splice(0)],
  ])('is passed over if %s', async (_, change) => {
    const { w, store } = await someRegister();
    change(w);
    const whole = await takeOver(w);
    const { passedOver, ...found } = await takeOver(w, store);
    expect(passedOver).toEqual(['REGISTER_AHEAD_OF_LOG']);
    expect(found).toEqual(without(whole, 'passedOver'));
  });

  it.each(['audit', 'custody'] as const)(
    'is passed over if the %s log says that it has no such offset',
    async (which) => {
      const { w, store } = await someRegister();
      const { keeping, passedOver } = kept(store);
      const outOfRange = (): AsyncIterable<never> =>
        failing(new CodedError({ code: 'OFFSET_OUT_OF_RANGE', message: 'none', remedy: 'stop' }));
      const custody = w.open();
      const custodian = await w.custodian({
        register: keeping,
        custody: {
          ...custody,
          read: (from) =>
            which === 'custody' && from !== undefined ? outOfRange() : custody.read(from),
        },
        ...(which === 'audit'
          ? {
              audit: {
                partitions: async () => [0],
                read: async function* read(_, from) {
                  if (from > 0n) yield* outOfRange();
                  for (const [index, value] of w.audit.entries())
                    yield { offset: BigInt(index), value };
                },
              },
            }
          : {}),
      });
      expect((await custodian.round(running)).complete).toBe(true);
      expect(passedOver).toEqual(['REGISTER_AHEAD_OF_LOG']);
    },
  );

  it('that cannot be read or saved holds nothing up', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const full = new CodedError({ code: 'STATE_FULL', message: 'full', remedy: 'retry' });
    const { keeping, passedOver, failed } = kept({
      read: () => Promise.reject(full),
      replace: () => Promise.reject(full),
    });
    const custodian = await w.custodian({ register: keeping });
    expect((await custodian.round(running)).copied).toBe(1);
    await custodian.keep();
    await custodian.keep();
    expect([passedOver, failed]).toEqual([['REGISTER_UNREADABLE'], [full, full]]);
  });

  it('waits, and is not passed over, while the log cannot be read', async () => {
    const { w, store } = await someRegister();
    const { keeping, passedOver } = kept(store);
    const away = new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'away', remedy: 'retry' });
    const read = (): AsyncIterable<never> => failing(away);
    const begun = w.custodian({
      register: keeping,
      audit: { partitions: async () => [0], read },
    });
    await expect(begun).rejects.toBe(away);
    await expect(w.custodian({ register: keeping, custody: { ...w.open(), read } })).rejects.toBe(
      away,
    );
    expect(passedOver).toEqual([]);
  });
});

describe('saving', () => {
  it('happens while the logs are read and while copies are made, and each is right', async () => {
    const w = new CustodyWorld();
    for (let n = 0; n < 40; n += 1) await w.stored(`n-${n}`, ['zrh-2']);
    const saved: { readonly bytes: Buffer; readonly copied: number }[] = [];
    const { keeping } = kept(
      {
        read: async () => undefined,
        replace: async (pieces) => {
          const bytes = Buffer.concat([...pieces]);
          saved.push({ bytes, copied: w.events.length });
          return await Promise.resolve(bytes.length);
        },
      },
      { afterRecords: 10 },
    );
    let elapsed = 0;
    const custodian = await w.custodian({
      register: keeping,
      // A minute goes by at each look.
      elapsed: () => (elapsed += 60_000),
    });
    expect((await custodian.round(running)).copied).toBe(40);
    expect(saved.map(({ copied }) => copied)).toEqual([0, 0, 0, 0, 16, 32]);
    const whole = await takeOver(w);
    for (const { bytes } of saved) {
      const store = Object.assign(new MemoryRegisterStore(), { bytes });
      const { knows, owed } = await takeOver(w, store);
      expect([knows, owed]).toEqual([whole.knows, whole.owed]);
    }
  });

  it('happens once there is enough that is new, and at the end if there is anything', async () => {
    const w = new CustodyWorld();
    const store = new MemoryRegisterStore();
    const custodian = await w.custodian({ register: kept(store, { afterRecords: 3 }).keeping });
    await custodian.keep();
    expect(store.replaced).toBe(0);
    const rounds: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await w.stored(`n-${n}`);
      w.elapsed += 60_000;
      await custodian.round(running);
      rounds.push(store.replaced);
    }
    expect(rounds).toEqual([0, 0, 1, 1, 1, 2]);
    await custodian.keep();
    expect(store.replaced).toBe(2);
    await w.stored('last');
    await custodian.round(running);
    expect(store.replaced).toBe(2);
    await custodian.keep();
    expect(store.replaced).toBe(3);
  });

  it('waits a minute after the last time', async () => {
    const w = new CustodyWorld();
    const store = new MemoryRegisterStore();
    const custodian = await w.custodian({ register: kept(store, { afterRecords: 1 }).keeping });
    const replaced: number[] = [];
    for (const elapsed of [0, 59_999, 60_000, 60_001]) {
      await w.stored(`at-${elapsed}`);
      w.elapsed = elapsed;
      await custodian.round(running);
      replaced.push(store.replaced);
    }
    expect(replaced).toEqual([1, 1, 2, 2]);
  });
});

/** Debts, copies, and an owner that is not settled, in a register. */
async function someRegister(): Promise<{
  readonly w: CustodyWorld;
  readonly store: MemoryRegisterStore;
}> {
  const w = new CustodyWorld();
  for (let n = 0; n < 6; n += 1) await w.stored(`n-${n}`, n === 5 ? [] : ['zrh-2']);
  const store = new MemoryRegisterStore();
  const custodian = await w.custodian({ register: kept(store).keeping });
  await custodian.round(running);
  w.away.add('zrh-2');
  const last = await w.stored('owed', ['zrh-2']);
  if (last.outcome !== 'stored') throw new TypeError('Expected a stored sample.');
  const { placements: _, owed: __, ...judged } = last.data;
  const of = 'log-1/threat.samples/3/7';
  w.audit.push(w.encode({ ...last, outcome: 'duplicate', data: { ...judged, of } }));
  await custodian.round(running);
  await custodian.keep();
  return { w, store };
}

function decode(bytes: Buffer): Register {
  const register = decodeRegister(bytes);
  if (register === undefined) throw new Error('Expected a register.');
  return register;
}

function withEnd(
  register: Register,
  over: Partial<NonNullable<Register['head']['end']>>,
): Register {
  const { end } = register.head;
  if (end === undefined) throw new Error('Expected an event.');
  return { ...register, head: { ...register.head, end: { ...end, ...over } } };
}

/** A reading that fails at once. */
function failing(failure: Error): AsyncIterable<never> {
  return {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }),
  };
}

function without<T extends object, Key extends keyof T>(whole: T, key: Key): Omit<T, Key> {
  const { [key]: _, ...rest } = whole;
  return rest;
}
