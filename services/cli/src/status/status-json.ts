import { formatInstant } from '@residency/residency';
import { controlJson } from '../control.ts';
import type { IntakeLook } from './look.ts';
import type { StatusReport } from './status-report.ts';
import type { Told } from './told.ts';

/** The same as the screen, one object a look. What could not be asked has a `failure`. */
export function statusJson(
  name: string,
  { at, system, flow, services, wrong }: StatusReport,
): object {
  return {
    at: formatInstant(at),
    of: name,
    wrong,
    ...(system === undefined
      ? {}
      : {
          control: json(system.control, controlJson),
          intake: json(system.intake, intakeJson),
          ...(flow === undefined ? {} : { flow }),
          ...(system.consents === undefined
            ? {}
            : { consents: json(system.consents, (view) => view) }),
          policy: json(system.policy, (view) => view),
        }),
    ...services,
  };
}

function json<T>(one: Told<T>, of: (value: T) => object): object {
  return 'failure' in one ? one : of(one.told);
}

function intakeJson({ unsettled, worst, oldestAt, lost }: IntakeLook): object {
  return {
    unsettled: Number(unsettled),
    lost,
    ...(worst === undefined
      ? {}
      : { worst: { partition: worst.partition, unsettled: Number(worst.unsettled) } }),
    ...(oldestAt === undefined ? {} : { oldest: formatInstant(oldestAt) }),
  };
}
