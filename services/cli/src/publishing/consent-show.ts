import type { ConsentHistory } from '@residency/consent';
import { formatInstant } from '@residency/residency';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { isObject } from '../http/json-object.ts';
import { openIntake } from './intake-client.ts';
import type { IntakeOptions } from './intake-options.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { refuseBoth } from './sink.ts';
import { table } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & IntakeOptions & { readonly consent: string };

export async function show(session: Session, options: Options): Promise<ExitCode> {
  const { consent: consentId, json } = options;
  if (!/^[A-Za-z0-9_-]{8,128}$/.test(consentId))
    throw usage('Expected --consent of 8 to 128 of A-Z a-z 0-9 _ -, found something else.');
  refuseBoth(options);
  const intervals =
    options.url === undefined
      ? await withSystem(session, options, async (system) =>
          written(await system.consentHistory(consentId)),
        )
      : await ask(session, { ...options, url: options.url });
  if (json) await session.output.json({ consentId, intervals });
  else if (intervals.length === 0)
    await session.output.line(`Consent ${consentId} was never given.`);
  else
    await session.output.lines(table(['from', 'until', 'purposes', 'terms'], intervals.map(rowOf)));
  return EXIT.done;
}

async function ask(
  session: Session,
  options: Options & { readonly url: string },
): Promise<readonly Record<string, unknown>[]> {
  const intake = await openIntake(session, options);
  const found = await intake.get(`consents/${options.consent}`);
  const intervals = found?.['intervals'];
  return Array.isArray(intervals) ? intervals.filter((one) => isObject(one)) : [];
}

function written(history: ConsentHistory): readonly Record<string, unknown>[] {
  return history.map(({ from, until, ...rest }) => ({
    from: formatInstant(from),
    ...(until === undefined ? {} : { until: formatInstant(until) }),
    ...rest,
  }));
}

function rowOf({ from, until, purposes, termsVersion }: Record<string, unknown>): string[] {
  return [
    text(from),
    until === undefined ? 'still given' : text(until),
    Array.isArray(purposes) ? purposes.map(text).join(', ') : '',
    text(termsVersion),
  ];
}

function text(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}
