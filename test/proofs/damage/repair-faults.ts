import type { Broken } from './break-objects.ts';

/** A line of `residency site repairs --report ORDER --json`. */
export interface ReportLine {
  readonly sign: '-' | '*' | '!';
  readonly submission: string;
  readonly from?: string;
  readonly setAside?: string;
  readonly code?: string;
}

export interface OrderReport {
  readonly order: string;
  readonly lines: readonly ReportLine[];
  /** The last line's counts. */
  readonly equal: number;
  readonly missing: number;
  readonly differed: number;
  readonly errors: number;
}

export interface RepairedSite {
  /** By submission. */
  readonly broken: ReadonlyMap<string, Broken>;
  /** The other site of the region, from which all copies come. */
  readonly from: string;
  /** Copies that the site must have. */
  readonly copies: number;
  /** True: the site arbitrates, so a record that is sent again may take a removed object's place. */
  readonly arbitrates: boolean;
  /** Digests of the objects that `stored` events name. */
  readonly good: ReadonlySet<string>;
  /** The orders that were carried out, in order. */
  readonly reports: readonly OrderReport[];
}

/**
 * Compares what orders reported with what was broken, object by object: each was made anew once, with
 * the right sign and the right bytes set aside; no other was touched.
 */
export function repairFaults(site: RepairedSite): readonly string[] {
  const { broken, reports, copies } = site;
  const made = Map.groupBy(
    reports.flatMap(({ lines }) => lines).filter(({ sign }) => sign !== '!'),
    ({ submission }) => submission,
  );
  return [
    ...[...broken].flatMap(([submission, one]) => {
      const lines = made.get(submission) ?? [];
      const [line] = lines;
      if (line === undefined || lines.length > 1)
        return [
          `${submission} was ${one.way}, and ${lines.length} lines say that it was made anew`,
        ];
      return lineFaults(line, one, site);
    }),
    ...reports.flatMap(({ order, lines, equal, missing, differed, errors }) => [
      ...lines.flatMap((line) => {
        if (!broken.has(line.submission))
          return [`${line.submission} was good, found ${text(line)}`];
        return line.sign === '!' && !(site.arbitrates && line.code === 'STRANGER_UNSETTLED')
          ? [`${line.submission} was not repaired: ${String(line.code)}`]
          : [];
      }),
      ...(equal + lines.length === copies
        ? []
        : [`order ${order} counts ${equal} equal ones and ${lines.length} others of ${copies}`]),
      ...(missing === count(lines, '-') &&
      differed === count(lines, '*') &&
      errors === count(lines, '!')
        ? []
        : [`order ${order} counts ${missing} -, ${differed} *, ${errors} !, and lists others`]),
    ]),
  ];
}

export function count(lines: readonly ReportLine[], sign: ReportLine['sign']): number {
  return lines.filter((line) => line.sign === sign).length;
}

function lineFaults(
  line: ReportLine,
  { way, sha256 }: Broken,
  { from, arbitrates, good }: RepairedSite,
): readonly string[] {
  const { submission, setAside } = line;
  const origin =
    line.from === from ? [] : [`${submission} came from ${String(line.from)}, not ${from}`];
  const digest = setAside?.split('/').at(-1) ?? '';
  if (setAside !== undefined && good.has(digest))
    origin.push(`${submission}: a good copy was set aside`);
  if (way === 'removed' && line.sign === '-' && setAside === undefined) return origin;
  if (way === 'removed' && arbitrates && line.sign === '*' && setAside !== undefined) return origin;
  if (
    way !== 'removed' &&
    line.sign === '*' &&
    setAside === `damaged/${submission}/${String(sha256)}`
  )
    return origin;
  return [...origin, `${submission} was ${way}, found ${text(line)}`];
}

function text({ sign, setAside, code }: ReportLine): string {
  return [sign, setAside, code].filter((part) => part !== undefined).join(' ');
}
