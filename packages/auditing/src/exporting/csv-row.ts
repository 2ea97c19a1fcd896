import { formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { csvCell } from './csv-cell.ts';

/** The columns of an export as CSV, in this order (docs/formats/audit-event.md "Export"). */
export const CSV_COLUMNS = [
  'position',
  'time',
  'outcome',
  'submission',
  'country',
  'region',
  'rule',
  'policy',
  'policyVersion',
  'policyDigest',
  'consentId',
  'termsVersion',
  'verdict',
  'sampleSha256',
  'sampleBytes',
  'sites',
  'reason',
  'of',
  'previous',
  'redriveOf',
  'traceparent',
] as const;

/**
 * One event as a row of RFC 4180, without its line end. CSV is for people and spreadsheets; the
 * exact bytes are in the NDJSON export.
 */
export function csvRow(event: AuditEvent): string {
  const cells = cellsOf(event);
  return CSV_COLUMNS.map((column) => csvCell(cells.get(column))).join(',');
}

function cellsOf({
  position,
  at,
  outcome,
  traceparent,
  data,
}: AuditEvent): ReadonlyMap<string, unknown> {
  const decision = 'decision' in data ? data.decision : undefined;
  const sites =
    'placements' in data ? data.placements?.map(({ site }) => site).join(' ') : undefined;
  const { id, version, digest } = decision?.policy ?? {};
  return new Map<string, unknown>(
    Object.entries({
      ...data,
      position: formatPosition(position),
      time: formatInstant(at),
      outcome,
      traceparent,
      sites,
      region: decision?.region,
      rule: decision?.rule,
      policy: id,
      policyVersion: version,
      policyDigest: digest,
    }),
  );
}
