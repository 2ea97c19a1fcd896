import { expect, test } from 'vitest';
import { RecentOutcomes } from '../src/recent-outcomes.ts';

const [first, second, third] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
];

test('a submission is pending from its append to its first audit event', async () => {
  const outcomes = new RecentOutcomes();
  expect(await outcomes.find(first)).toEqual({ state: 'unknown' });
  outcomes.appended(first);
  expect(await outcomes.find(first)).toEqual({ state: 'pending' });
  outcomes.settled(first, Buffer.from('refused'));
  outcomes.settled(first, Buffer.from('stored'));
  expect(await outcomes.find(first)).toEqual({
    state: 'settled',
    events: [Buffer.from('refused'), Buffer.from('stored')],
  });
});

test('an event may arrive before the append of its record is acknowledged', async () => {
  const outcomes = new RecentOutcomes();
  outcomes.settled(first, Buffer.from('stored'));
  outcomes.appended(first);
  expect(await outcomes.find(first)).toMatchObject({ state: 'settled' });
});

test('its memory is bounded, and the oldest outcomes are forgotten first', async () => {
  const outcomes = new RecentOutcomes({ submissions: 2, eventsEach: 2 });
  outcomes.appended(first);
  outcomes.appended(second);
  for (const text of ['1', '2', '3']) outcomes.settled(second, Buffer.from(text));
  outcomes.appended(third);
  expect(await outcomes.find(first)).toEqual({ state: 'unknown' });
  expect(await outcomes.find(second)).toEqual({
    state: 'settled',
    events: [Buffer.from('2'), Buffer.from('3')],
  });
  expect(await outcomes.find(third)).toEqual({ state: 'pending' });
});

test('the bytes of its events are bounded too', async () => {
  const outcomes = new RecentOutcomes({ bytes: 10 });
  for (const [submission, text] of [
    [first, '1234'],
    [second, '5678'],
    [second, '9'],
    [third, 'abcd'],
  ] as const)
    outcomes.settled(submission, Buffer.from(text));
  expect(await outcomes.find(first)).toEqual({ state: 'unknown' });
  expect(await outcomes.find(second)).toMatchObject({ state: 'settled' });
  expect(await outcomes.find(third)).toMatchObject({ state: 'settled' });
  outcomes.settled(first, Buffer.from('x'.repeat(20)));
  expect(await outcomes.find(first)).toEqual({ state: 'unknown' });
  outcomes.settled(second, Buffer.from('y'));
  expect(await outcomes.find(second)).toEqual({ state: 'settled', events: [Buffer.from('y')] });
});
