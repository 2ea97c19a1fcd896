/**
 * What no list of countries settles by itself. Reviewed by people: every entry states its reason
 * and its source.
 */
export interface EuropeException {
  readonly code: string;
  readonly europe: boolean;
  readonly reason: string;
  readonly cite: string;
}

/** Where "Europe" (GTI §3 does not enumerate it) differs from UN M49's region 150. */
export const EUROPE_EXCEPTIONS: readonly EuropeException[] = [
  {
    code: 'RU',
    europe: false,
    reason: 'Russia is where data that was not relocated is processed',
    cite: 'GTI §6',
  },
  {
    code: 'CY',
    europe: true,
    reason: 'Cyprus is a member state of the European Union; M49 groups it under Western Asia',
    cite: 'Treaty of Accession 2003',
  },
  {
    code: 'XK',
    europe: true,
    reason: 'Kosovo lies in Europe; M49 has no entry for it',
    cite: 'European Commission: user-assigned code XK, potential candidate for accession',
  },
];

export interface Territories {
  /** The state whose rules they follow at every instant. */
  readonly state: string;
  readonly codes: readonly string[];
  readonly reason: string;
  readonly cite: string;
}

/** Every code ISO 3166-1 marks "Independent: No", but for the four in `NO_STATE`. */
export const TERRITORIES: readonly Territories[] = [
  {
    state: 'AU',
    codes: ['CC', 'CX', 'HM', 'NF'],
    reason: 'external territories of Australia',
    cite: 'Cocos (Keeling) Islands Act 1955, Christmas Island Act 1958, Heard Island and McDonald Islands Act 1953, Norfolk Island Act 1979',
  },
  {
    state: 'CN',
    codes: ['HK', 'MO'],
    reason: 'special administrative regions of China',
    cite: 'Basic Laws of Hong Kong (1990) and Macao (1993)',
  },
  {
    state: 'DK',
    codes: ['FO', 'GL'],
    reason: 'self-governing parts of the Kingdom of Denmark',
    cite: 'Faroe Islands Home Rule Act 1948, Greenland Self-Government Act 2009',
  },
  {
    state: 'FI',
    codes: ['AX'],
    reason: 'autonomous region of Finland',
    cite: 'Act on the Autonomy of Åland (1144/1991)',
  },
  {
    state: 'FR',
    codes: ['BL', 'GF', 'GP', 'MF', 'MQ', 'NC', 'PF', 'PM', 'RE', 'TF', 'WF', 'YT'],
    reason: 'overseas departments, collectivities and territories of France',
    cite: 'Constitution of France, articles 72-3 and 76',
  },
  {
    state: 'GB',
    codes: [
      'AI',
      'BM',
      'FK',
      'GG',
      'GI',
      'GS',
      'IM',
      'IO',
      'JE',
      'KY',
      'MS',
      'PN',
      'SH',
      'TC',
      'VG',
    ],
    reason: 'overseas territories and dependencies of the British Crown',
    cite: 'British Nationality Act 1981, schedule 6; Interpretation Act 1978, schedule 1',
  },
  {
    state: 'NL',
    codes: ['AW', 'BQ', 'CW', 'SX'],
    reason: 'Caribbean parts of the Kingdom of the Netherlands',
    cite: 'Charter for the Kingdom of the Netherlands, article 1',
  },
  {
    state: 'NO',
    codes: ['BV', 'SJ'],
    reason: 'Svalbard and Jan Mayen are parts, Bouvet Island a dependency of Norway',
    cite: 'Svalbard Act 1925, Jan Mayen Act 1930, Dependencies Act 1930',
  },
  {
    state: 'NZ',
    codes: ['CK', 'NU', 'TK'],
    reason: 'within the Realm of New Zealand',
    cite: 'Cook Islands Constitution Act 1964, Niue Constitution Act 1974, Tokelau Act 1948',
  },
  {
    state: 'US',
    codes: ['AS', 'GU', 'MP', 'PR', 'UM', 'VI'],
    reason: 'insular areas of the United States',
    cite: 'United States Code, title 48',
  },
];

export interface NoState {
  readonly code: string;
  readonly reason: string;
  readonly cite: string;
}

/**
 * Marked "Independent: No" by ISO 3166-1, and yet no state's to follow here: they stay under the
 * default.
 */
export const NO_STATE: readonly NoState[] = [
  {
    code: 'AQ',
    reason: 'Antarctica belongs to no state: all claims to it are suspended',
    cite: 'Antarctic Treaty, article IV',
  },
  {
    code: 'EH',
    reason:
      'Western Sahara is on the United Nations list of non-self-governing territories without an administering power',
    cite: 'UN Charter, article 73',
  },
  {
    code: 'PS',
    reason:
      'ISO and M49 list it as the State of Palestine, a United Nations observer state, under no other state',
    cite: 'UN General Assembly resolution 67/19',
  },
  {
    code: 'TW',
    reason:
      'no source of ours names it: GTI §2 does not list it, M49 has no entry for it; the default gives it the same answer under any view of its status',
    cite: 'GTI §2',
  },
];
