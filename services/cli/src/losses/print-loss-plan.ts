import { defined } from '@residency/defined';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { counted, table } from '../terminal/table.ts';
import type { LossPlan } from './loss-plan.ts';

export async function printLossPlan(
  { output }: Session,
  json: boolean,
  { digest, samples, intakeUntil }: LossPlan,
): Promise<void> {
  if (json) {
    for (const sample of samples) await output.json(sample);
    await output.json({ digest, stored: samples.length, ...defined({ intakeUntil }) });
    return;
  }
  await output.line(`${counted(samples.length, 'stored sample')}. Nothing is changed yet.`);
  await output.lines(
    table(
      [
        'submission',
        'region',
        'stored',
        'state',
        'copies by the logs',
        'waits for',
        'retired',
        'claim',
      ],
      samples.map(({ submission, region, stored, state, copies, out, retired, claimed }) => [
        submission,
        printable(region),
        stored,
        state,
        printable(copies.join(' ')),
        printable(out.join(' ')),
        printable(retired.join(' ')),
        claimed ? 'yes' : '',
      ]),
    ),
  );
  await output.line(
    'The custodian of the region reads every site first. What one of them has is not given up.',
  );
  if (samples.some(({ out }) => out.length > 0))
    await output.line('A site that is out of service may have a copy: the order waits for it.');
  const retired = new Set(samples.flatMap((sample) => sample.retired));
  if (retired.size > 0)
    await output.line(
      `By the logs a retired site has a copy (${printable([...retired].join(', '))}), and no order waits for it. If the site still exists, take it in first: \`residency site in SITE\`.`,
    );
  await output.line(intakeText(intakeUntil));
  await output.line(`To order it, repeat the command with --yes ${digest}`);
}

function intakeText(until: string | undefined): string {
  const again =
    'Once a sample is given up, a record that is sent again under its identity is stored anew.';
  if (until === undefined) return `The intake log does not hold the records any more. ${again}`;
  const held =
    until === 'forever'
      ? 'The intake log may hold the records: its topic has no retention.'
      : `The intake log may hold the records until ${until}: copy what you need before.`;
  return `${held} ${again}`;
}
