import { namedOwner } from '@residency/contracts';
import { expect, it } from 'vitest';
import { CSV_COLUMNS, csvRow } from '../src/exporting/csv-row.ts';
import { altered, history } from './history.ts';

it('gives every event one row with every column', async () => {
  const { events } = await history();
  for (const event of events) expect(csvRow(event).split(',')).toHaveLength(CSV_COLUMNS.length);
  const stored = events.find(({ outcome }) => outcome === 'stored');
  if (stored?.outcome !== 'stored') throw new Error('Expected a stored event.');
  const cells = new Map(
    csvRow(stored)
      .split(',')
      .map((cell, at) => [CSV_COLUMNS[at], cell] as const),
  );
  expect(cells.get('region')).toBe(stored.data.decision.region);
  expect(cells.get('time')).toBe(new Date(stored.at).toISOString());
  expect(cells.get('sites')).toBe(stored.data.placements.map(({ site }) => site).join(' '));
  expect(cells.get('previous')).toBe(stored.data.previous ?? '');
  expect(cells.get('policyVersion')).toBe(String(stored.data.decision.policy.version));
});

it('names the owner of a duplicate and of a conflict in one column', async () => {
  const { events } = await history();
  const owners = events.flatMap((event) => namedOwner(event) ?? []);
  const cells = events
    .filter((event) => namedOwner(event) !== undefined)
    .map((event) => csvRow(event).split(',')[CSV_COLUMNS.indexOf('of')]);
  expect(events.some((e) => e.outcome === 'quarantined' && namedOwner(e) !== undefined)).toBe(true);
  expect(cells).toEqual(owners.map(({ of }) => of));
});

it('quotes what would break a row, and keeps what a spreadsheet would compute text', async () => {
  const { events } = await history();
  const stored = events.find(({ outcome }) => outcome === 'stored');
  if (stored === undefined) throw new Error('Expected a stored event.');
  expect(
    csvRow(altered(stored, '"termsVersion":"A"', String.raw`"termsVersion":"a \"b\", c"`)),
  ).toContain(',"a ""b"", c",');
  expect(csvRow(altered(stored, '"termsVersion":"A"', '"termsVersion":"=HYPERLINK(1)"'))).toContain(
    ",'=HYPERLINK(1),",
  );
});
