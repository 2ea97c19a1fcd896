import { expect, test } from 'vitest';
import { repairFaults } from './repair-faults.ts';
import type { RepairedSite, ReportLine } from './repair-faults.ts';

const LEFT = 'e'.repeat(64);
const OTHERS = 'f'.repeat(64);
const GOOD = '1'.repeat(64);
const removed: ReportLine = { sign: '-', submission: 'a', from: 'zrh-1' };
const cut: ReportLine = {
  sign: '*',
  submission: 'b',
  from: 'zrh-1',
  setAside: `damaged/b/${LEFT}`,
};
const taken: ReportLine = { ...removed, sign: '*', setAside: `damaged/a/${OTHERS}` };

function site(lines: readonly ReportLine[], more: Partial<RepairedSite> = {}): RepairedSite {
  const of = (sign: string): number => lines.filter((line) => line.sign === sign).length;
  const report = {
    order: 'order-1',
    lines,
    equal: 10 - lines.length,
    missing: of('-'),
    differed: of('*'),
    errors: of('!'),
  };
  return {
    broken: new Map([
      ['a', { way: 'removed' }],
      ['b', { way: 'cut', sha256: LEFT }],
    ]),
    from: 'zrh-1',
    copies: 10,
    arbitrates: false,
    good: new Set([GOOD]),
    reports: [report],
    ...more,
  };
}

test('a report that names each broken object once, as it was broken, is right', () => {
  expect(repairFaults(site([removed, cut]))).toEqual([]);
});

test('in the arbiter a removed object may have been replaced before, or be postponed', () => {
  expect(repairFaults(site([taken, cut], { arbitrates: true }))).toEqual([]);
  const [first] = site([{ sign: '!', submission: 'a', code: 'STRANGER_UNSETTLED' }, cut]).reports;
  const [second] = site([taken]).reports;
  if (first === undefined || second === undefined) throw new Error('no reports');
  expect(repairFaults(site([], { arbitrates: true, reports: [first, second] }))).toEqual([]);
});

test.each<[string, readonly ReportLine[], Partial<RepairedSite>?]>([
  ['one is not reported', [removed]],
  ['one is reported twice', [removed, removed, cut]],
  ['one that was good is reported', [removed, cut, { ...removed, submission: 'c' }]],
  ['one was not repaired', [removed, { sign: '!', submission: 'b', code: 'NO_GOOD_COPY' }]],
  ['a later site had a stranger', [taken, cut]],
  ['the sign is another', [removed, { ...cut, sign: '-' }]],
  ['other bytes are set aside', [removed, { ...cut, setAside: `damaged/b/${OTHERS}` }]],
  ['nothing is set aside', [removed, { sign: '*', submission: 'b', from: 'zrh-1' }]],
  [
    'a good copy is set aside',
    [{ ...taken, setAside: `damaged/a/${GOOD}` }, cut],
    { arbitrates: true },
  ],
  ['a copy came from elsewhere', [{ ...removed, from: 'zrh-2' }, cut]],
  ['not every copy was checked', [removed, cut], { copies: 11 }],
])('%s: a fault', (_, lines, more) => {
  expect(repairFaults(site(lines, more))).not.toEqual([]);
});

test('counts that are not those of the lines are a fault', () => {
  const [report] = site([removed, cut]).reports;
  if (report === undefined) throw new Error('no report');
  expect(repairFaults(site([], { reports: [{ ...report, missing: 2 }] }))).toHaveLength(1);
});
