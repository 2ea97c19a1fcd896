import { formatInstant } from '@residency/residency';
import type { ErasedEntry } from './erasable-samples.ts';
import type { OrderedErasure } from './ordered-samples.ts';

export const RECEIPT_PAGE = 'receipt.md';

export interface ReceiptFile {
  readonly file: string;
  readonly entry: ErasedEntry;
}

/** One page in plain words. It names no person. */
export function receiptPage({
  ordered: { order, samples },
  files,
  keys,
  intakeUntil,
}: {
  readonly ordered: OrderedErasure;
  readonly files: readonly ReceiptFile[];
  /** Verifier keys by region. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  readonly intakeUntil: string | undefined;
}): string {
  const [first] = files;
  const left = samples.flatMap(({ sample: { submission, stored }, state, kept }) => [
    ...(state === 'held'
      ? [`- ${submission}: it must be kept for now, and is erased afterwards.`]
      : []),
    ...(state === 'waiting' ? [`- ${submission}: it is not erased in every site yet.`] : []),
    ...kept.out.map(
      (site) =>
        `- ${submission}: the site ${site} (region ${stored.region}) is out of service and still has its copy, until it is in service again.`,
    ),
    ...kept.retired.map(
      (site) =>
        `- ${submission}: the site ${site} (region ${stored.region}) is retired and keeps its copy until its bucket or folder is deleted.`,
    ),
  ]);
  return `${[
    '# What was erased',
    `The order ${order.act} of ${formatInstant(order.at)} is about ${samples.length} stored samples. Each line is one that was erased: the encrypted file is gone from these sites, and a note in its place keeps it from coming back.`,
    [
      '| sample | erased at | region | sites | receipt |',
      '|---|---|---|---|---|',
      ...files.map(rowOf),
    ].join('\n'),
    '## What was not',
    left.length === 0 ? 'Nothing: every site in service has erased its copy.' : left.join('\n'),
    arrivalText(intakeUntil),
    'Logs keep that each sample was received, when, from which country and with which digest, but not the sample.',
    '## How to verify',
    'Each receipt proves that the erasure is recorded in a public log that cannot be changed unseen. With the program `residency`, no account is needed:',
    `    residency audit verify ${first?.file ?? ''} --key "${keys.get(first?.entry.sample.stored.region ?? '')?.[0] ?? 'KEY'}"`,
    'Compare the key with the one that is published. The keys of this page:',
    [...keys].flatMap(([region, all]) => all.map((key) => `- ${region}: \`${key}\``)).join('\n'),
  ].join('\n\n')}\n`;
}

function rowOf({ file, entry: { sample, at, sites } }: ReceiptFile): string {
  return `| ${sample.submission} | ${formatInstant(at)} | ${sample.stored.region} | ${sites.join(', ')} | ${file} |`;
}

function arrivalText(until: string | undefined): string {
  const begin = 'The log in which samples arrive, on our machines only,';
  if (until === undefined)
    return `${begin} has no copy of an erased sample: the custodian deletes it with the sample.`;
  return until === 'forever'
    ? `${begin} has no limit of time: it still has its copies.`
    : `${begin} may keep its copies until ${until}.`;
}
