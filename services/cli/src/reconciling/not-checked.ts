import type { ReconciliationReport } from '@residency/reconciliation';
import type { LedgerCheck } from '../audit/ledger-check.ts';

/** A part that a reconciliation did not check, and the reason. */
export interface NotChecked {
  readonly what: string;
  readonly why: string;
}

/** The parts that were not checked. Without them a report would seem to cover everything. */
export function notChecked(
  sites: ReconciliationReport,
  ledger: LedgerCheck,
  { opened }: { readonly opened: boolean },
): readonly NotChecked[] {
  return [...ofSites(sites, opened), ...ofLedgers(ledger), ...always()];
}

function ofSites(
  { differences, alsoIn, inFlight, owed }: ReconciliationReport,
  opened: boolean,
): NotChecked[] {
  const unread = differences.list
    .filter(({ code }) => code === 'SITE_NOT_READ')
    .map(({ site }) => site ?? '');
  return [
    ...(opened
      ? []
      : [
          {
            what: 'whether objects open to the samples that their events name',
            why: 'asked without --open',
          },
        ]),
    ...unread.map((site) => ({
      what: `objects in site ${site}`,
      why: 'it can not be read from here',
    })),
    ...Object.entries(owed.bySite).map(([site, copies]) => ({
      what: `${copies} copies in site ${site}`,
      why: 'it owes them: no custody event says that it has them',
    })),
    ...(inFlight === 0
      ? []
      : [
          {
            what: `${inFlight} objects whose records are not settled yet, beyond what they say of themselves`,
            why: 'no event speaks of them',
          },
        ]),
    ...unlisted('differences', differences),
    ...unlisted('submissions also in another region', alsoIn),
  ];
}

function ofLedgers({
  ledgers,
  absent,
  unsigned,
  unkept,
  unasked,
  differences,
}: LedgerCheck): NotChecked[] {
  return [
    ...(unasked === undefined ? [] : [{ what: 'the ledgers', why: unasked }]),
    ...(unasked !== undefined
      ? []
      : absent.map((log) => ({
          what: `the ledger of ${log}`,
          why: 'it has no checkpoint that can be read',
        }))),
    ...unsigned.map((ledger) => ({
      what: `the signature of the checkpoint of ${ledger}`,
      why: 'no key is at hand',
    })),
    ...unkept.map((ledger) => ({
      what: `whether an older copy of log and ledger of ${ledger} was put back`,
      why: 'no checkpoint that is kept apart is at hand',
    })),
    ...ledgers
      .filter(({ notYet }) => notYet > 0)
      .map(({ topic, partition, notYet, size }) => ({
        what: `the last ${notYet} events of ${topic}/${partition} in its ledger`,
        why: `its checkpoint has ${size} leaves`,
      })),
    ...unlisted('differences of ledgers', differences),
  ];
}

function unlisted(
  what: string,
  { total, list }: { readonly total: number; readonly list: readonly unknown[] },
): NotChecked[] {
  return total > list.length
    ? [
        {
          what: `${total - list.length} more ${what} by name`,
          why: 'they were counted and not listed',
        },
      ]
    : [];
}

function always(): NotChecked[] {
  return [
    {
      what: 'whether events follow from policy and consents',
      why: '`residency audit adjudicate` does that',
    },
    {
      what: 'bytes that custodians set aside, beyond for whose sample',
      why: 'no decision rests on them',
    },
    { what: 'the intake records themselves', why: 'their log keeps them for a while only' },
    {
      what: 'earlier versions and deleted objects that a store may keep',
      why: 'only what a site gives under its names is read',
    },
  ];
}
