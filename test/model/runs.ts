/** Bounds and mutants of `custody.pml`: its preprocessor names. */
export type Defines = Readonly<Record<string, number | true>>;

export interface Configuration {
  readonly name: string;
  /** What can happen in it. */
  readonly about: string;
  readonly defines: Defines;
  readonly large: Defines;
}

export interface Mutant {
  /** Its preprocessor name. */
  readonly name: string;
  readonly about: string;
  readonly configuration: ConfigurationName;
  /** Bounds of its own. */
  readonly defines?: Defines;
  /** The promise that it breaks. */
  readonly breaks: string;
}

const ONE_WORKER = { WORKERS: 1, MOVES: 0 };
const OPPOSITE = { LENGTH: 2, IDENTITIES: 2 };

export const CONFIGURATIONS = [
  {
    name: 'settle',
    about: 'two partitions, zombies, an undecided transaction',
    defines: { MOVES: 2, FORGETS: 1 },
    large: { LENGTH: 2, MOVES: 2, FORGETS: 1 },
  },
  {
    name: 'loss',
    about: 'a site loses one of two copies before or after its record is settled',
    defines: { ...ONE_WORKER, LENGTH: 2, LOSSES: 1, CUSTODIANS: 1 },
    large: { LENGTH: 2, MOVES: 0, LOSSES: 1, CUSTODIANS: 2 },
  },
  {
    name: 'zombie-loss',
    about: 'as loss, with zombies and without a custodian',
    defines: { MOVES: 1, LOSSES: 1 },
    large: { LENGTH: 2, MOVES: 1, LOSSES: 1 },
  },
  {
    name: 'opposite',
    about: 'two identities in opposite order in two partitions, the later site away for ever',
    defines: { ...ONE_WORKER, ...OPPOSITE, AWAYS: 100 },
    large: { ...OPPOSITE, MOVES: 1, AWAYS: 100 },
  },
  {
    name: 'out',
    about: '`site out`, zombies, an undecided transaction',
    defines: { CHANGES: 1, MOVES: 0, FORGETS: 1 },
    large: { CHANGES: 1, MOVES: 1, FORGETS: 1 },
  },
  {
    name: 'claims',
    about: '`site out` after the next arbiter was away',
    defines: { ...ONE_WORKER, LENGTH: 2, CHANGES: 1, AWAYS: 1 },
    large: { ...ONE_WORKER, LENGTH: 2, CHANGES: 1, AWAYS: 2 },
  },
  {
    name: 'abort',
    about: '`site out` aborted, then run again; the first command wakes later',
    defines: { ...ONE_WORKER, CHANGES: 2, ABORTS: 1 },
    large: { ...ONE_WORKER, CHANGES: 2, ABORTS: 1, FORGETS: 1 },
  },
  {
    name: 'in',
    about: '`site out`, then `site in`, custodians, erasure',
    defines: { ...ONE_WORKER, CHANGES: 1, SITE_IN: true, CUSTODIANS: 2, ERASURES: 1 },
    large: { CHANGES: 1, SITE_IN: true, MOVES: 0, CUSTODIANS: 1, ERASURES: 1 },
  },
  {
    name: 'late-puts',
    about: 'after `site in`: frozen routers still write to the emptied site, in opposite order',
    defines: { ...ONE_WORKER, ...OPPOSITE, AFTER_CHANGE: true, LATE_PUTS: 2, CUSTODIANS: 1 },
    large: {
      ...ONE_WORKER,
      ...OPPOSITE,
      AFTER_CHANGE: true,
      LATE_PUTS: 4,
      CUSTODIANS: 1,
      AWAYS: 1,
    },
  },
  {
    name: 'custody',
    about: 'owed copies, erasure, two custodians, the later site away',
    defines: { ...ONE_WORKER, CUSTODIANS: 2, ERASURES: 1, AWAYS: 1 },
    large: { MOVES: 1, CUSTODIANS: 2, ERASURES: 1, AWAYS: 2 },
  },
  {
    name: 'debts',
    about: 'owed copies and repair, two custodians, no erasure',
    defines: { MOVES: 1, CUSTODIANS: 2, AWAYS: 1 },
    large: { ...ONE_WORKER, LENGTH: 2, CUSTODIANS: 2, AWAYS: 2 },
  },
  {
    name: 'erasure-loss',
    about: 'erasure and repair, two custodians, a site loses an object or a tombstone',
    defines: { ...ONE_WORKER, CUSTODIANS: 2, ERASURES: 1, LOSSES: 1 },
    large: { MOVES: 1, CUSTODIANS: 2, ERASURES: 1, LOSSES: 1 },
  },
] as const satisfies readonly Configuration[];

export type ConfigurationName = (typeof CONFIGURATIONS)[number]['name'];

/** Faults of the protocol. Each must be found with the small bounds. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'CHANGE_WITHOUT_FENCE',
    about: 'two arbiters at once: `site out` takes no partition over, a router goes on',
    configuration: 'out',
    breaks: 'stored_once',
  },
  {
    name: 'CONTROL_BEFORE_FENCE',
    about: 'two arbiters at once: a router reads control before its own fence',
    configuration: 'out',
    breaks: 'stored_once',
  },
  {
    name: 'RESUME_ENDS_CHANGE',
    about: '`resume` lets routers go on in the middle of the change',
    configuration: 'out',
    breaks: 'stored_once',
  },
  {
    name: 'ORDER_AFTER_ABORT',
    about: 'an order counts although its change was aborted before',
    configuration: 'abort',
    breaks: 'stored_once',
  },
  {
    name: 'CLAIMS_LEFT_OUT',
    about: 'the next arbiter gets no claims',
    configuration: 'claims',
    defines: { LENGTH: 1 },
    breaks: 'stored_once',
  },
  {
    name: 'CLAIMS_ONLY_STORED',
    about: 'no claim for an owner that events name and that is not settled',
    configuration: 'claims',
    breaks: 'conflict_leads_to_stored',
  },
  {
    name: 'CLAIMED_AS_PRESENT',
    about: 'a claim is answered to its owner as if the object were there',
    configuration: 'claims',
    breaks: 'stored_is_there',
  },
  {
    name: 'NO_SWEEP',
    about: 'a fence without the sweep leaves an undecided transaction',
    configuration: 'settle',
    breaks: 'one_outcome',
  },
  {
    name: 'ABORTED_UNREAD',
    about: 'a take-over does not read aborted events: a position that a broker forgot seems ahead',
    configuration: 'settle',
    breaks: 'progress_explained',
  },
  {
    name: 'COMMITS_FENCED',
    about: 'a zombie commits',
    configuration: 'settle',
    breaks: 'one_outcome',
  },
  {
    name: 'ROUTER_OVERWRITES',
    about: 'a router writes without If-None-Match',
    configuration: 'settle',
    breaks: 'stored_once',
  },
  {
    name: 'OTHER_CIPHERTEXT',
    about: 'a second attempt writes its own ciphertext to the later site',
    configuration: 'settle',
    breaks: 'placed_is_one_ciphertext',
  },
  {
    name: 'WAITS_FOR_LATER_COPY',
    about: "naming an unsettled owner waits for the later site's copy (the code of today)",
    configuration: 'opposite',
    breaks: 'everything_settles',
  },
  {
    name: 'WAITS_FOR_SETTLEMENT',
    about: 'naming an unsettled owner waits until it is settled',
    configuration: 'opposite',
    breaks: 'everything_settles',
  },
  {
    name: 'NUMBER_IGNORED',
    about: 'an owner waits for an unsettled stranger of an earlier arbiter too',
    configuration: 'late-puts',
    breaks: 'everything_settles',
  },
  {
    name: 'UNSETTLED_NEVER_WAITS',
    about: 'an owner never waits for an unsettled stranger',
    configuration: 'zombie-loss',
    breaks: 'stored_once',
  },
  {
    name: 'LATER_SITE_DECIDES',
    about: "a later site's object decides without its event",
    configuration: 'late-puts',
    breaks: 'everything_settles',
  },
  {
    name: 'LATER_SITE_NOT_ASKED',
    about: 'an unsettled owner is named although the later site contradicts it',
    configuration: 'loss',
    breaks: 'conflict_leads_to_stored',
  },
  {
    name: 'OWN_COPY_IGNORED',
    about:
      'the arbiter lost an object that settled events name: its record yields to the one that took the place',
    configuration: 'loss',
    defines: { WORKERS: 2, MOVES: 1, CUSTODIANS: 0 },
    breaks: 'conflict_leads_to_stored',
  },
  {
    name: 'EARLIER_COUNTS_AS_STORED',
    about: 'a record earlier in the batch counts as stored, whatever its result is',
    configuration: 'loss',
    breaks: 'conflict_leads_to_stored',
  },
  {
    name: 'CONFLICT_LEADS_NOWHERE',
    about:
      "a settled conflict's event is not followed to the owner (the code before decision 0044)",
    configuration: 'loss',
    defines: { CUSTODIANS: 0 },
    breaks: 'everything_settles',
  },
  {
    name: 'SITE_IN_WITHOUT_TOMBSTONES',
    about: '`site in` before the tombstones: an old custodian pays its copy there',
    configuration: 'in',
    breaks: 'gone_after_erased',
  },
  {
    name: 'TOMBSTONES_ONLY_WHERE_OBJECTS',
    about: 'an old custodian pays a copy where a site had neither object nor tombstone',
    configuration: 'custody',
    breaks: 'gone_after_erased',
  },
  {
    name: 'REPLACES_UNCONDITIONALLY',
    about: 'an old custodian pays a copy over a tombstone',
    configuration: 'custody',
    breaks: 'tombstone_kept',
  },
  {
    name: 'DEBT_FORGOTTEN',
    about: "a custodian's successor begins where it stopped reading",
    configuration: 'debts',
    breaks: 'debts_paid',
  },
  {
    name: 'OWED_ONLY_AS_SAID',
    about: 'only what an event calls `owed` is due, while a router has not read `site in` yet',
    configuration: 'in',
    breaks: 'debts_paid',
  },
  {
    name: 'ARBITER_IS_THE_TRUTH',
    about: "a custodian copies the arbiter's object, whatever the stored event names",
    configuration: 'loss',
    breaks: 'stored_is_there',
  },
];

/** What two faults at once break: beyond the protocol's promises. */
export const LIMITS: readonly {
  readonly about: string;
  readonly defines: Defines;
  readonly breaks: string;
}[] = [
  {
    about: 'the arbiter loses an object while the later site, which has its copy, is away',
    defines: { ...ONE_WORKER, LOSSES: 1, AWAYS: 1 },
    breaks: 'stored_once',
  },
  {
    about: 'the arbiter loses two unsettled objects that two partitions have in opposite order',
    defines: { ...ONE_WORKER, ...OPPOSITE, LOSSES: 2 },
    breaks: 'everything_settles',
  },
];
