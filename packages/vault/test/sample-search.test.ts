import { encodeAuditEvent } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import {
  VAULT_NOW as NOW,
  VAULT_SAMPLE,
  VAULT_SUBMISSION,
  VaultWorld,
  asker,
  vaultStoredEvent,
} from '@residency/testkit';
import { parsePurposes } from '@residency/vault';
import type { FoundSample, SampleQuery, Vault } from '@residency/vault';
import { expect, test } from 'vitest';

const { signal } = new AbortController();
const ana = asker('ana');

function query(changes: Partial<SampleQuery> = {}): SampleQuery {
  return { purpose: 'analysis', limit: 100, ...changes };
}

const stored = (
  nth: number,
  changes: Partial<StoredEvent['data']> & { readonly at?: number } = {},
): Buffer => encodeAuditEvent(vaultStoredEvent({ nth, ...changes }));

async function denied(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'other'),
  );
}

/** Everything, answer by answer. */
async function all(vault: Vault, asked: SampleQuery): Promise<FoundSample[]> {
  const samples: FoundSample[] = [];
  let after: string | undefined;
  do {
    const found = await vault.search(
      ana,
      after === undefined ? asked : { ...asked, after },
      signal,
    );
    expect(found.samples.length).toBeLessThanOrEqual(asked.limit);
    samples.push(...found.samples);
    after = found.next;
  } while (after !== undefined);
  return samples;
}

const offsets = (samples: readonly FoundSample[]): string[] =>
  samples.map(({ position }) => position.split('/').at(-1) ?? '');

const purposes = (daily: object): { readonly purposes: ReturnType<typeof parsePurposes> } => ({
  purposes: parsePurposes(
    JSON.stringify({
      purposes: [
        {
          id: 'analysis',
          principals: ['ana', 'bob'],
          lifetimeSeconds: 60,
          daily: { count: 1, bytes: 1, ...daily },
        },
      ],
    }),
  ),
});

test('a search names what the region stored, and neither the consent nor anything else of its owner', async () => {
  const world = await VaultWorld.open();
  world.audit[0]?.push(encodeAuditEvent(vaultStoredEvent()));
  const vault = await world.vault();
  expect(await vault.search(ana, query(), signal)).toEqual({
    samples: [
      {
        submission: VAULT_SUBMISSION,
        position: 'log-1/threat.samples/0/7',
        at: NOW - 500,
        country: 'CH',
        verdict: 'malicious',
        bytes: VAULT_SAMPLE.length,
        sampleSha256: vaultStoredEvent().data.sampleSha256,
        erased: false,
      },
    ],
  });
  expect(world.log).toEqual([]);
});

test("each condition leaves out what does not meet it; other regions' samples and foreign records are passed over", async () => {
  const world = await VaultWorld.open();
  const { decision } = vaultStoredEvent().data;
  world.audit[0]?.push(
    stored(0, { country: 'LI' }),
    stored(1, { verdict: 'suspicious' }),
    stored(2, { sampleSha256: 'd'.repeat(64) }),
    stored(3, { at: NOW - 10_000 }),
    stored(4, { at: NOW - 9_000 }),
    stored(5, { decision: { ...decision, region: 'moscow' } }),
    Buffer.from('no event'),
  );
  world.audit[0]?.push(null);
  const vault = await world.vault();
  const found = async (changes: Partial<SampleQuery>): Promise<string[]> =>
    offsets(await all(vault, query(changes)));
  expect(await found({})).toEqual(['0', '1', '2', '3', '4']);
  expect(await found({ country: 'LI' })).toEqual(['0']);
  expect(await found({ verdict: 'suspicious' })).toEqual(['1']);
  expect(await found({ sampleSha256: 'd'.repeat(64) })).toEqual(['2']);
  expect(await found({ from: NOW - 10_000, to: NOW - 9_000 })).toEqual(['3']);
  expect(await found({ to: NOW - 600 })).toEqual(['3', '4']);
  expect(await found({ country: 'LI', verdict: 'suspicious' })).toEqual([]);
});

test('a sample that is to be erased is named as such', async () => {
  const world = await VaultWorld.open();
  world.audit[0]?.push(encodeAuditEvent(vaultStoredEvent()), stored(8));
  const order = {
    act: '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10',
    at: NOW,
    reason: 'asked for',
    submissions: [VAULT_SUBMISSION],
    consents: [],
  };
  world.control = { ...world.control, erasures: { holds: [], orders: [order] } };
  const vault = await world.vault();
  const { samples } = await vault.search(ana, query(), signal);
  expect(samples.map(({ erased }) => erased)).toEqual([true, false]);
});

test('answers go on where the one before ended, across partitions, and name each sample once', async () => {
  const world = await VaultWorld.open();
  world.audit.push([], []);
  for (let nth = 0; nth < 25; nth += 1) world.audit[nth % 2 === 0 ? 0 : 2]?.push(stored(nth));
  const vault = await world.vault();
  const whole = offsets(await all(vault, query()));
  expect(new Set(whole).size).toBe(25);
  for (const limit of [1, 2, 7, 13, 25])
    expect(offsets(await all(vault, query({ limit })))).toEqual(whole);
});

test('a million records are looked through in answers of at most 20,000', async () => {
  const world = await VaultWorld.open();
  const other = stored(0, { decision: { ...vaultStoredEvent().data.decision, region: 'moscow' } });
  const records = world.audit[0] ?? [];
  // Only a few are decoded: the others are no events.
  for (let nth = 0; nth < 1_000_000; nth += 1) records.push(nth % 5_000 === 0 ? other : null);
  records.push(stored(1));
  const vault = await world.vault();
  const found: string[] = [];
  let [answers, after]: [number, string | undefined] = [0, undefined];
  do {
    const answer = await vault.search(ana, query(after === undefined ? {} : { after }), signal);
    found.push(...offsets(answer.samples));
    after = answer.next;
    answers += 1;
  } while (after !== undefined);
  expect([found, answers]).toEqual([['1'], 51]);
});

test('a search that is given up, or takes long, answers with what it has, and goes on from there', async () => {
  const world = await VaultWorld.open();
  for (let nth = 0; nth < 5; nth += 1) world.audit[0]?.push(stored(nth));
  const vault = await world.vault();
  const first = await vault.search(ana, query(), AbortSignal.abort());
  expect([offsets(first.samples), first.next]).toEqual([['0'], 'log-1/residency.audit/0/0']);
});

test.each([
  ['nothing', ''],
  ['no position', 'x'],
  ['another log', 'log-2/residency.audit/0/1'],
  ['a position of the intake log', 'log-1/threat.samples/0/1'],
  ['a partition that is not there', 'log-1/residency.audit/3/1'],
  ['an offset behind the end', 'log-1/residency.audit/0/99'],
  ['an offset that no log has', 'log-1/residency.audit/0/9223372036854775807'],
])('the cursor %s is refused', async (_, after) => {
  const world = await VaultWorld.open();
  world.audit[0]?.push(stored(0));
  const vault = await world.vault();
  expect(await denied(vault.search(ana, query({ after }), signal))).toBe('CURSOR_INVALID');
});

test('whoever is not listed, or for a purpose without searches, finds nothing', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  for (const [who, purpose, code] of [
    ['ana', 'elsewhere', 'PURPOSE_UNKNOWN'],
    ['eve', 'analysis', 'PURPOSE_NOT_ALLOWED'],
    ['ana', 'nobody', 'PURPOSE_NOT_ALLOWED'],
    ['ana', 'research', 'SEARCH_NOT_ALLOWED'],
    ['bob', 'analysis', 'no error'],
  ] as const)
    expect(await denied(vault.search(asker(who), query({ purpose }), signal))).toBe(code);
  const idle = await world.vault({ desk: () => undefined });
  expect(await denied(idle.search(ana, query(), signal))).toBe('CUSTODIAN_NOT_ACTIVE');
});

test('searches of one principal and purpose are limited for a day', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault(purposes({ searches: 2, results: 100 }));
  const search = async (who = ana): Promise<string> =>
    await denied(vault.search(who, query(), signal));
  expect([await search(), await search(), await search()]).toEqual([
    'no error',
    'no error',
    'LIMIT_REACHED',
  ]);
  expect(await search(asker('bob'))).toBe('no error');
  world.now = NOW + 86_400_000;
  expect(await search()).toBe('no error');
});

test('the samples that answers name are limited, also for searches at once; what was not found is free again', async () => {
  const world = await VaultWorld.open();
  for (let nth = 0; nth < 5; nth += 1) world.audit[0]?.push(stored(nth));
  const vault = await world.vault(purposes({ searches: 100, results: 7 }));
  const search = (limit: number, country = 'CH'): ReturnType<Vault['search']> =>
    vault.search(ana, query({ limit, country }), signal);
  const none = search(7, 'LI');
  expect(await denied(search(1))).toBe('LIMIT_REACHED');
  expect((await none).samples).toEqual([]);
  const both = await Promise.allSettled([search(4), search(4)]);
  expect(both.map((one) => (one.status === 'fulfilled' ? one.value.samples.length : 0))).toEqual([
    4, 3,
  ]);
  expect(await denied(search(1))).toBe('LIMIT_REACHED');
});
