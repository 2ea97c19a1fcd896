import { TOPICS, custodyTopic } from '@residency/contracts';
import { describe, expect, it, vi } from 'vitest';
import { defined } from '@residency/defined';
import { KafkaLogError } from '../../src/kafka-log-error.ts';
import { LogIdentity, compareTopics, idsToRecord } from '../../src/identity/log-identity.ts';
import type { Comparison, LogIdentityDeps } from '../../src/identity/log-identity.ts';

const { samples, control } = TOPICS;
const settledIn = (ids?: Comparison['ids'], difference?: string) => [
  {
    partition: 0,
    compared: true,
    ...defined({ ids, difference }),
  },
];
const stateOf = (given: Partial<Comparison>, topic = samples) =>
  compareTopics({ ids: undefined, settled: [], first: new Map(), accepted: [], ...given }).find(
    (one) => one.topic === topic,
  );

it.each<[string, Partial<Comparison>, string]>([
  ['nothing was settled', {}, 'unsettled'],
  ['the audit log can not be read', { settled: undefined }, 'unknown'],
  [
    'its id is the one that was settled',
    { ids: new Map([[samples, 'A']]), settled: settledIn(new Map([[samples, 'A']])) },
    'same',
  ],
  ['its record is the one that was settled, where no id is told', { settled: settledIn() }, 'same'],
  [
    'its id is another',
    { ids: new Map([[samples, 'B']]), settled: settledIn(new Map([[samples, 'A']])) },
    'replaced',
  ],
  [
    'its id is another than this process saw first',
    { ids: new Map([[samples, 'B']]), first: new Map([[samples, 'A']]) },
    'replaced',
  ],
  [
    'its record differs, whatever its id',
    {
      ids: new Map([[samples, 'A']]),
      settled: settledIn(new Map([[samples, 'A']]), 'of another submission'),
    },
    'replaced',
  ],
  [
    'its id is not told now',
    {
      ids: new Map(),
      settled: [{ partition: 0, compared: false, ids: new Map([[samples, 'A']]) }],
    },
    'unknown',
  ],
  [
    'a person accepted it',
    {
      ids: new Map([[samples, 'C']]),
      settled: settledIn(new Map([[samples, 'A']])),
      accepted: [
        { topic: samples, was: 'A', is: 'B' },
        { topic: samples, was: 'B', is: 'C' },
      ],
    },
    'same',
  ],
  [
    'a person accepted another',
    {
      ids: new Map([[samples, 'C']]),
      settled: settledIn(new Map([[samples, 'A']])),
      accepted: [
        { topic: control, was: 'A', is: 'C' },
        { topic: samples, was: 'A', is: 'B' },
      ],
    },
    'replaced',
  ],
])('a topic where %s', (_, given, state) => {
  expect(stateOf(given)?.state).toBe(state);
});

function world(over: Partial<LogIdentityDeps> = {}) {
  let ids = new Map<typeof samples | typeof control, string>([
    [samples, 'A'],
    [control, 'K'],
  ]);
  const settled = (): ReturnType<LogIdentityDeps['settled']> =>
    Promise.resolve(
      settledIn(
        new Map(Object.values(TOPICS).map((topic) => [topic, topic === control ? 'K' : 'A'])),
      ),
    );
  const identity = new LogIdentity({
    ids: () => Promise.resolve(ids),
    settled,
    accepted: () => Promise.resolve([]),
    ...over,
  });
  return {
    identity,
    become: (next: typeof ids) => {
      ids = next;
    },
  };
}

it('the audit log is read again only after a change', async () => {
  const all = new Map(Object.values(TOPICS).map((topic) => [topic, 'A'] as const));
  const settled = vi.fn<LogIdentityDeps['settled']>(() => Promise.resolve(settledIn(all)));
  const identity = new LogIdentity({
    ids: () => Promise.resolve(all),
    settled,
    accepted: () => Promise.resolve([]),
  });
  for (let look = 0; look < 3; look += 1)
    expect((await identity.look()).every(({ state }) => state === 'same')).toBe(true);
  expect(settled).toHaveBeenCalledTimes(1);
});

it('a topic that is recreated later is detected by the next check, and stops every caller that requires it', async () => {
  const { identity, become } = world();
  await identity.requireSameTopic(control);
  become(
    new Map([
      [samples, 'A'],
      [control, 'L'],
    ]),
  );
  expect((await identity.look()).find(({ topic }) => topic === control)).toMatchObject({
    state: 'replaced',
  });
  await expect(identity.requireSameTopic(control)).rejects.toMatchObject({
    code: 'LOG_REPLACED',
    remedy: 'stop',
    message: expect.stringContaining('residency topics accept'),
  });
  await identity.requireSameTopic(samples);
});

it('a process that may not read the audit log compares with the first ids that it saw', async () => {
  const forbidden = new KafkaLogError({
    code: 'KAFKA_AUTHORIZATION',
    remedy: 'stop',
    message: 'x',
  });
  const { identity, become } = world({ settled: () => Promise.reject(forbidden) });
  await identity.requireSameTopic(samples);
  become(new Map([[samples, 'B']]));
  expect((await identity.look()).find(({ topic }) => topic === samples)).toMatchObject({
    state: 'replaced',
  });
});

const ZURICH = custodyTopic('zurich');

it('a custody log is compared once a settled event names it', () => {
  const settled = settledIn(new Map([[ZURICH, 'A']]));
  const state = (ids: Comparison['ids']) =>
    compareTopics({ ids, settled, first: new Map(), accepted: [] }).find(
      ({ topic }) => topic === ZURICH,
    )?.state;
  expect(state(new Map([[ZURICH, 'A']]))).toBe('same');
  expect(state(new Map([[ZURICH, 'B']]))).toBe('replaced');
  expect(state(new Map())).toBe('unknown');
  expect(
    compareTopics({ ids: undefined, settled: [], first: new Map(), accepted: [] }),
  ).toHaveLength(Object.values(TOPICS).length);
});

it('asks for the id of each custody log that a settled event names', async () => {
  const asked: string[][] = [];
  const identity = new LogIdentity({
    ids: (custody) => {
      asked.push([...custody]);
      return Promise.resolve(new Map([...custody].map((topic) => [topic, 'B'])));
    },
    settled: () => Promise.resolve(settledIn(new Map([[ZURICH, 'A']]))),
    accepted: () => Promise.resolve([]),
  });
  expect((await identity.look()).find(({ topic }) => topic === ZURICH)).toMatchObject({
    state: 'replaced',
    replaced: [{ was: 'A', is: 'B' }],
  });
  expect(asked).toEqual([[], [ZURICH]]);
  await identity.look();
  expect(asked.at(-1)).toEqual([ZURICH]);
});

describe('what the next settlement records', () => {
  const record = (
    now: string | undefined,
    recorded: string | undefined,
    accepted: readonly { readonly was: string; readonly is: string }[] = [],
  ) =>
    idsToRecord(
      new Map([[control, 'C'], ...(now === undefined ? [] : [[ZURICH, now] as const])]),
      new Map([[control, 'old'], ...(recorded === undefined ? [] : [[ZURICH, recorded] as const])]),
      accepted.map((one) => ({ topic: ZURICH, ...one })),
    );

  it.each([
    ['the current id of a custody log that nobody recorded', ['A', undefined], 'A'],
    ['the same id', ['A', 'A'], 'A'],
    ['the id before, of one that was replaced', ['B', 'A'], 'A'],
    ['the id before, of one that is not asked for or gone', [undefined, 'A'], 'A'],
  ] as const)('%s', (_, [now, recorded], expected) => {
    expect(record(now, recorded).get(ZURICH)).toBe(expected);
    expect(record(now, recorded).get(control)).toBe('C');
  });

  it('the new id, of one whose replacement a person accepted', () => {
    expect(record('B', 'A', [{ was: 'A', is: 'B' }]).get(ZURICH)).toBe('B');
    expect(record('C', 'A', [{ was: 'A', is: 'B' }]).get(ZURICH)).toBe('A');
  });
});
