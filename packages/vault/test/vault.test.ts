import { SAMPLE_LOST, encodeCustodyEvent, sha256 } from '@residency/contracts';
import { parsePurposes } from '@residency/vault';
import type { Vault } from '@residency/vault';
import { expect, test } from 'vitest';
import {
  FaultyCustodianSite,
  VAULT_NOW as NOW,
  VAULT_SAMPLE as SAMPLE,
  VAULT_SUBMISSION as SUBMISSION,
  VaultWorld,
  accessIdAt,
  asker,
  accessOrder as order,
} from '@residency/testkit';

const { signal } = new AbortController();
const ACCESS = order().access;

async function denied(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'other'),
  );
}

test('an access is an event, then a published checkpoint, then the sample', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  expect(await vault.request(asker('ana'), order())).toEqual({
    access: ACCESS,
    state: 'accessed',
    until: NOW + 600_000,
    missingApprovals: 0,
  });
  expect(world.published).toBe(0);
  expect((await vault.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  expect(world.published).toBe(1);
  expect(world.events.map(({ data }) => data)).toEqual([
    {
      previous: null,
      region: 'zurich',
      access: ACCESS,
      of: 'log-1/threat.samples/0/7',
      submission: SUBMISSION,
      principal: 'ana',
      purpose: 'analysis',
      reference: sha256(Buffer.from('ticket 1')),
      form: 'raw',
      until: new Date(NOW + 600_000).toISOString(),
      bytes: SAMPLE.length,
    },
  ]);
});

test('a request reads no sample, only what the site says of it', async () => {
  const world = await VaultWorld.open();
  const reads: string[] = [];
  const sites = {
    site: async (name: string) =>
      new FaultyCustodianSite(world.site(name), ({ method }) => {
        reads.push(method);
        return 'pass';
      }),
  };
  const vault = await world.vault({ sites });
  await vault.request(asker('ana'), order());
  expect(reads).toEqual(['metadata']);
  await vault.release(asker('ana'), ACCESS, signal);
  expect(reads).toEqual(['metadata', 'read']);
});

test('nothing is given out before a checkpoint contains the event', async () => {
  const world = await VaultWorld.open();
  world.publishes = false;
  const stopped = new AbortController();
  let looks = 0;
  const vault = await world.vault({
    pause: async () => {
      looks += 1;
      if (looks === 3) stopped.abort();
    },
  });
  await vault.request(asker('ana'), order());
  expect(await denied(vault.release(asker('ana'), ACCESS, stopped.signal))).toBe(
    'CHECKPOINT_PENDING',
  );
  world.published = 1;
  expect((await vault.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  expect(world.types).toEqual(['sample.accessed']);
});

test('the same order with the same id is one event, also for the next custodian; another order is refused', async () => {
  const world = await VaultWorld.open();
  const first = await world.vault();
  const report = await first.request(asker('ana'), order());
  expect(await first.request(asker('ana'), order())).toEqual(report);
  const second = await world.vault();
  expect(await second.request(asker('ana'), order())).toEqual(report);
  expect(await denied(first.request(asker('bob'), order({ access: accessIdAt(NOW, 1) })))).toBe(
    'FENCED',
  );
  for (const other of [
    order({ reference: 'ticket 2' }),
    order({ form: 'cart' }),
    order({ purpose: 'research' }),
    order({ of: 'log-1/threat.samples/0/8' }),
  ])
    expect(await denied(second.request(asker('ana'), other))).toBe('ACCESS_ID_REUSED');
  expect(await denied(second.request(asker('bob'), order()))).toBe('ACCESS_ID_REUSED');
  expect(world.types).toEqual(['sample.accessed']);
});

test('an append that failed, or failed but persisted, leaves one event once it is repeated', async () => {
  for (const fault of ['fail', 'fail-but-persist'] as const) {
    const world = await VaultWorld.open();
    const first = await world.vault();
    world.faults = [fault];
    expect(await denied(first.request(asker('ana'), order()))).toBe('UNREACHABLE');
    // This custodian may not append any more: what it believes is not what the log has.
    expect(await denied(first.request(asker('ana'), order()))).toBe('UNREACHABLE');
    const second = await world.vault();
    await second.request(asker('ana'), order());
    expect(world.types).toEqual(['sample.accessed']);
    expect((await second.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  }
});

test('a custodian that another has replaced gives nothing out, whatever it had read before', async () => {
  const world = await VaultWorld.open();
  let replace = async (): Promise<void> => undefined;
  const frozen = await world.vault({
    packer: {
      pack: async (form, sample) => {
        await replace();
        return {
          bytes: sample,
          contentType: form,
          contentDisposition: 'attachment; filename="sample.cart"',
        };
      },
    },
  });
  await frozen.request(asker('ana'), order());
  replace = async () => {
    await world.desk();
  };
  expect(await denied(frozen.release(asker('ana'), ACCESS, signal))).toBe('FENCED');
});

test('a custodian that another has replaced says of nothing that it is unknown or not approved', async () => {
  const world = await VaultWorld.open();
  const frozen = await world.vault();
  const waiting = accessIdAt(NOW, 77);
  await frozen.request(asker('ana'), order({ access: waiting, purpose: 'research', form: 'cart' }));
  const answers = async (): Promise<readonly string[]> => [
    await denied(frozen.release(asker('ana'), ACCESS, signal)),
    await denied(frozen.report(asker('ana'), ACCESS)),
    await denied(frozen.approve(asker('bob'), ACCESS)),
    await denied(frozen.release(asker('ana'), waiting, signal)),
  ];
  const unknown = 'ACCESS_UNKNOWN';
  expect(await answers()).toEqual([unknown, unknown, unknown, 'NOT_APPROVED']);
  const active = await world.vault();
  await active.request(asker('ana'), order());
  expect(await answers()).toEqual(Array.from({ length: 4 }, () => 'FENCED'));
});

test.each([
  ['PURPOSE_UNKNOWN', 'ana', { purpose: 'other' }],
  ['PURPOSE_NOT_ALLOWED', 'eve', {}],
  ['PURPOSE_NOT_ALLOWED', 'ana', { purpose: 'nobody' }],
  ['FORM_NOT_ALLOWED', 'ana', { form: 'zip' }],
  ['SUBMISSION_UNKNOWN', 'ana', { submission: 'f'.repeat(64) }],
  ['SUBMISSION_UNKNOWN', 'ana', { of: 'log-1/threat.samples/0/8' }],
  ['SUBMISSION_UNKNOWN', 'ana', { of: 'log-1/threat.samples/0/7', submission: 'f'.repeat(64) }],
] as const)(
  '%s is one event, however often it is asked, and gives nothing out',
  async (code, principal, changes) => {
    const world = await VaultWorld.open();
    const vault = await world.vault();
    for (let time = 0; time < 3; time += 1)
      expect(await denied(vault.request(asker(principal), order(changes)))).toBe(code);
    expect(world.types).toEqual(['access.refused']);
    expect(world.events[0]?.data).toMatchObject({ access: ACCESS, principal, code });
    expect(await denied(vault.release(asker(principal), ACCESS, signal))).toBe(code);
    expect(await denied(vault.release(asker('bob'), ACCESS, signal))).toBe('ACCESS_UNKNOWN');
    expect(world.types).toHaveLength(1);
  },
);

test('what is no order is refused without an event', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  for (const reference of ['', 'x'.repeat(257), 'a\nb', 'a\u0000b', '\ud800'])
    expect(await denied(vault.request(asker('ana'), order({ reference })))).toBe(
      'REFERENCE_INVALID',
    );
  for (const at of [NOW - 86_400_000, NOW + 300_000, 0])
    expect(await denied(vault.request(asker('ana'), order({ access: accessIdAt(at) })))).toBe(
      'ACCESS_ID_STALE',
    );
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('ACCESS_UNKNOWN');
  expect(await denied(vault.approve(asker('bob'), ACCESS))).toBe('ACCESS_UNKNOWN');
  expect(world.log).toEqual([]);
});

test('an id stays known as long as it is accepted', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  await vault.request(asker('ana'), order());
  for (let hour = 1; hour <= 200; hour += 1) {
    world.now = NOW + hour * 3_600_000;
    const access = accessIdAt(world.now, hour);
    const answer = await denied(vault.request(asker('ana'), order({ access })));
    world.now += 86_399_999;
    expect(await denied(vault.request(asker('ana'), order({ access })))).toBe(answer);
    world.now -= 86_399_999;
  }
  expect(await denied(vault.request(asker('ana'), order()))).toBe('ACCESS_ID_STALE');
  const limited = world.types.filter((type) => type === 'access.refused').length;
  expect(world.types).toHaveLength(201);
  expect(limited).toBeGreaterThan(100);
});

test('a sample that is ordered to be erased is refused when it is asked for, and before the first byte', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const orders = (names: { submissions?: string[]; consents?: string[] }) => ({
    ...world.control,
    erasures: {
      holds: [],
      orders: [
        {
          act: '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10',
          at: NOW,
          reason: 'asked',
          submissions: names.submissions ?? [],
          consents: (names.consents ?? []).map((consentId) => ({
            consentId,
            before: new Date(NOW).toISOString(),
          })),
        },
      ],
    },
  });
  const ask = async (nth: number) =>
    await denied(vault.request(asker('ana'), order({ access: accessIdAt(NOW, nth) })));
  await vault.request(asker('ana'), order());
  world.control = orders({ submissions: ['0'.repeat(64)], consents: ['another-one'] });
  expect(await ask(1)).toBe('no error');
  for (const control of [
    orders({ submissions: [SUBMISSION] }),
    orders({ consents: ['consent-1'] }),
  ]) {
    world.control = control;
    expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('SAMPLE_ERASED');
    expect(await ask(2)).toBe('SAMPLE_ERASED');
  }
  expect(world.types).toEqual(['sample.accessed', 'sample.accessed', 'access.refused']);
});

test('a withdrawn consent is refused when it is asked for, and before the first byte', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const given = world.consent;
  await vault.request(asker('ana'), order());
  world.consent = given.map((interval) => ({ ...interval, until: NOW }));
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('CONSENT_WITHDRAWN');
  expect(await denied(vault.request(asker('ana'), order({ access: accessIdAt(NOW, 1) })))).toBe(
    'CONSENT_WITHDRAWN',
  );
  world.consent = [];
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('CONSENT_WITHDRAWN');
  expect(world.types).toEqual(['sample.accessed', 'access.refused']);
});

test('an access ends with its lifetime, also while it waits for the checkpoint or is packed', async () => {
  const world = await VaultWorld.open();
  const late = async (): Promise<void> => {
    world.now = NOW + 600_000;
  };
  const waiting = await world.vault({ pause: late });
  await waiting.request(asker('ana'), order());
  world.publishes = false;
  expect(await denied(waiting.release(asker('ana'), ACCESS, signal))).toBe('ACCESS_EXPIRED');
  world.publishes = true;
  world.now = NOW + 599_999;
  expect((await waiting.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  const packing = await world.vault({
    packer: {
      pack: async (form, sample) => {
        await late();
        return {
          bytes: sample,
          contentType: form,
          contentDisposition: 'attachment; filename="sample.cart"',
        };
      },
    },
  });
  expect(await denied(packing.release(asker('ana'), ACCESS, signal))).toBe('ACCESS_EXPIRED');
  expect(world.types).toEqual(['sample.accessed']);
});

test('limits count what was recorded in a day; two requests at once cannot share what is left', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const ask = (nth: number): Promise<string> =>
    denied(vault.request(asker('ana'), order({ access: accessIdAt(world.now, nth) })));
  const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(ask));
  expect(answers.filter((answer) => answer === 'no error')).toHaveLength(5);
  expect(answers.filter((answer) => answer === 'LIMIT_REACHED')).toHaveLength(2);
  expect(await denied(vault.request(asker('bob'), order({ access: accessIdAt(NOW, 8) })))).toBe(
    'no error',
  );
  world.now = NOW + 86_400_001;
  expect(await ask(9)).toBe('no error');
});

test('a limit of bytes counts samples in the clear', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const purpose = { id: 'analysis', principals: ['ana'], lifetimeSeconds: 60, forms: ['raw'] };
  const small = await world.vault({
    purposes: new Map([
      [
        'analysis',
        {
          ...purpose,
          forms: ['raw'],
          approvals: 0,
          approvers: [],
          groups: [],
          approverGroups: [],
          daily: { count: 100, bytes: 2 * SAMPLE.length, searches: 0, results: 0 },
        },
      ],
    ]),
  });
  expect(await denied(vault.request(asker('ana'), order()))).toBe('FENCED');
  const answers: string[] = [];
  for (const nth of [1, 2, 3])
    answers.push(
      await denied(small.request(asker('ana'), order({ access: accessIdAt(NOW, nth) }))),
    );
  expect(answers).toEqual(['no error', 'no error', 'LIMIT_REACHED']);
});

test('approvals: by others than the asker, whom the purpose lists, in time, once each', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const asked = order({ purpose: 'research', form: 'cart' });
  expect(await vault.request(asker('ana'), asked)).toMatchObject({
    state: 'requested',
    missingApprovals: 2,
  });
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('NOT_APPROVED');
  expect(await vault.report(asker('bob'), ACCESS)).toMatchObject({ missingApprovals: 2 });
  expect(await denied(vault.report(asker('mallory'), ACCESS))).toBe('ACCESS_UNKNOWN');
  for (let time = 0; time < 2; time += 1) {
    expect(await denied(vault.approve(asker('ana'), ACCESS))).toBe('APPROVAL_BY_ASKER');
    expect(await denied(vault.approve(asker('mallory'), ACCESS))).toBe('APPROVER_NOT_ALLOWED');
    expect(await vault.approve(asker('bob'), ACCESS)).toMatchObject({ missingApprovals: 1 });
  }
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('NOT_APPROVED');
  const next = await world.vault();
  await next.approve(asker('eve'), ACCESS);
  expect((await next.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  expect(await denied(next.approve(asker('bob'), ACCESS))).toBe('no error');
  expect(await denied(next.approve(asker('mallory'), ACCESS))).toBe('ACCESS_ENDED');
  expect(world.types).toEqual([
    'access.requested',
    'access.refused',
    'access.refused',
    'access.approved',
    'access.approved',
    'sample.accessed',
  ]);
  expect(world.events.at(-1)?.data).toMatchObject({ approvedBy: ['bob', 'eve'] });
});

test('an approval after the lifetime is refused, and so is an approved request whose consent was withdrawn', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  await vault.request(asker('ana'), order({ purpose: 'research', form: 'cart' }));
  world.now = NOW + 600_000;
  expect(await denied(vault.approve(asker('bob'), ACCESS))).toBe('APPROVAL_EXPIRED');
  world.now = NOW + 1;
  await vault.approve(asker('bob'), ACCESS);
  await vault.approve(asker('eve'), ACCESS);
  world.consent = [];
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('CONSENT_WITHDRAWN');
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('CONSENT_WITHDRAWN');
  expect(world.types.filter((type) => type === 'access.refused')).toHaveLength(2);
});

test('a sample that was given up is refused before an event, and is no access', async () => {
  const world = await VaultWorld.open();
  const of = 'log-1/threat.samples/0/7';
  const first = await world.vault();
  await first.request(asker('ana'), order());
  const previous = sha256(world.log.at(-1) ?? Buffer.alloc(0));
  world.log.push(
    encodeCustodyEvent({
      log: 'log-1',
      sequence: world.log.length,
      at: NOW,
      type: SAMPLE_LOST,
      data: {
        previous,
        of,
        submission: SUBMISSION,
        region: 'zurich',
        order: '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10',
        sites: [{ site: 'zrh-1', found: 'nothing' }],
      },
    }),
  );
  const before = world.log.length;
  const vault = await world.vault();
  for (const changes of [{}, { of }])
    expect(
      await denied(vault.request(asker('ana'), order({ access: accessIdAt(NOW, 2), ...changes }))),
    ).toBe('SAMPLE_LOST');
  expect(await denied(vault.release(asker('ana'), ACCESS, signal))).toBe('SAMPLE_LOST');
  expect(world.log).toHaveLength(before);
});

test('a site that is away is no refusal; one whose bytes are not good is passed over', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  world.away.add('zrh-1').add('zrh-2');
  expect(await denied(vault.request(asker('ana'), order()))).toBe('SAMPLE_AWAY');
  expect(world.log).toEqual([]);
  world.away.delete('zrh-2');
  await vault.request(asker('ana'), order());
  expect((await vault.release(asker('ana'), ACCESS, signal)).bytes).toEqual(SAMPLE);
  world.away.clear();
  const lying = await world.vault({
    opener: {
      open: async (message) => ({
        sample: Buffer.from(`${message.subarray(7).toString()}?`),
        submission: SUBMISSION,
      }),
    },
  });
  expect(await denied(lying.release(asker('ana'), ACCESS, signal))).toBe('SAMPLE_NOT_GOOD');
  const another = await world.vault({
    opener: {
      open: async (message) => ({ sample: message.subarray(7), submission: 'f'.repeat(64) }),
    },
  });
  expect(await denied(another.release(asker('ana'), ACCESS, signal))).toBe('SAMPLE_NOT_GOOD');
});

test('a principal whose requests are refused a thousand times a day fills the log no further', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault();
  const ask = (vaultOf: Vault, nth: number): Promise<string> =>
    denied(vaultOf.request(asker('eve'), order({ access: accessIdAt(NOW, nth) })));
  for (let nth = 0; nth < 1_000; nth += 1)
    expect(await ask(vault, nth)).toBe('PURPOSE_NOT_ALLOWED');
  expect(await ask(vault, 1_000)).toBe('REFUSALS_EXHAUSTED');
  expect(await ask(await world.vault(), 1_001)).toBe('REFUSALS_EXHAUSTED');
  expect(world.log).toHaveLength(1_000);
});

test('a group may ask and approve, by the token of the moment', async () => {
  const world = await VaultWorld.open();
  const vault = await world.vault({
    purposes: parsePurposes(
      JSON.stringify({
        purposes: [
          {
            id: 'analysis',
            principals: [],
            groups: ['analysts'],
            forms: ['raw'],
            approvals: 1,
            approverGroups: ['leads'],
            lifetimeSeconds: 600,
            daily: { count: 5, bytes: 1_000 },
          },
        ],
      }),
    ),
  });
  expect(await denied(vault.request(asker('ana', 'Analysts', 'leads'), order()))).toBe(
    'PURPOSE_NOT_ALLOWED',
  );
  const access = accessIdAt(NOW, 1);
  const ana = asker('ana', 'analysts', 'leads');
  await vault.request(ana, order({ access }));
  expect(await denied(vault.approve(ana, access))).toBe('APPROVAL_BY_ASKER');
  expect(await denied(vault.approve(asker('bob', 'analysts'), access))).toBe(
    'APPROVER_NOT_ALLOWED',
  );
  expect(await vault.report(asker('eve', 'leads'), access)).toMatchObject({ missingApprovals: 1 });
  await vault.approve(asker('eve', 'leads'), access);
  // Whoever left the group gets nothing any more.
  expect(await denied(vault.release(asker('ana'), access, signal))).toBe('PURPOSE_NOT_ALLOWED');
});
