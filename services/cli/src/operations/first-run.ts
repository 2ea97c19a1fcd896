import { outcomeSummary } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { DataDirectory, RoutedExample } from '@residency/standalone';
import { placeOf } from '../system/outcome.ts';
import { publishedOn } from '../system/published-on.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';

/** The results of the examples: the region of each, or the reason. */
export async function reportFirstRun(
  { output }: Session,
  json: boolean,
  data: DataDirectory,
  routed: readonly RoutedExample[],
): Promise<void> {
  if (routed.length === 0) return;
  const why = await explainer(data);
  if (json) {
    for (const { file, country, event } of routed)
      await output.json({
        file,
        ...defined({ country }),
        ...outcomeSummary(event),
        why: why(event),
      });
    return;
  }
  await output.lines([
    '',
    'The examples, and what became of each. The sealed objects: `npx residency sample list --region zurich`; the events: `npx residency audit list`; whether all is in its place: `npx residency reconcile --open`; all sources of an answer: `npx residency where CH`.',
    '',
  ]);
  await output.lines(
    table(
      ['example', 'country', 'outcome', 'where', 'why'],
      routed.map(({ file, country = '-', event }) => [
        file,
        country,
        event.outcome,
        placeOf(event),
        why(event),
      ]),
    ),
  );
}

const REASONS: Readonly<Record<string, string>> = {
  CONSENT_UNKNOWN: 'nobody gave this consent',
  CONSENT_WITHDRAWN: 'the consent was withdrawn before',
  CONSENT_PURPOSE: 'the consent is for something else',
  ERASED: 'a sample of this submission was erased',
  UNDECODABLE: 'not a CloudEvent',
  UNKNOWN_TYPE: 'an event type this release does not know',
  INVALID_ATTRIBUTE: 'an attribute is missing or not well-formed',
  CLASSIFICATION_UNKNOWN: 'a data classification this system does not know',
  TOO_LARGE: 'over the size limit',
  EMPTY_SAMPLE: 'a sample without bytes',
  COUNTRY_UNKNOWN: 'not an assigned country code; it never falls into a default',
  DIGEST_MISMATCH: 'the bytes are not what the publisher announced',
  IDENTITY_CONFLICT: 'the same submission came with other bytes before',
};

async function explainer(data: DataDirectory): Promise<(event: AuditEvent) => string> {
  const published = await publishedOn(data);
  return (event) => {
    if (event.outcome === 'refused' || event.outcome === 'quarantined')
      return REASONS[event.data.reason] ?? '';
    const {
      rule: id,
      policy: { digest },
    } = event.data.decision;
    const rule = published
      .find((version) => version.digest === digest)
      ?.document.rules.find((one) => one.id === id);
    const because = rule === undefined ? id : shortened(`${id}: ${rule.cites.join('; ')}`);
    return event.outcome === 'duplicate' ? `the same submission again; ${because}` : because;
  };
}

const WHY_CHARACTERS = 90;

/** A table's line; `residency where` gives all sources. */
function shortened(text: string): string {
  return text.length <= WHY_CHARACTERS ? text : `${text.slice(0, WHY_CHARACTERS - 3)}...`;
}
