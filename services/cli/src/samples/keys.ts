import { KEY_ADD_BEGUN, KEY_RETIRE_BEGUN } from '@residency/contracts';
import { generateRegionKey } from '@residency/sealing';
import type { Common } from '../terminal/command.ts';
import { recorded } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { refuseUnknown } from '../system/policies.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

export async function list(session: Session, { json, ...where }: Common): Promise<ExitCode> {
  const { output } = session;
  return await withSystem(session, where, async (system) => {
    const keys = system.keys();
    const all = (await keys.list()).map(({ region, id, retired }) => ({
      region,
      key: id,
      state: retired ? 'retired' : keys.newest(region)?.id === id ? 'seals' : 'opens',
    }));
    if (json) for (const key of all) await output.json(key);
    else
      await output.lines(
        table(
          ['region', 'key', 'state'],
          all.map(({ region, key, state }) => [region, key, state]),
        ),
      );
    return EXIT.done;
  });
}

export async function add(
  session: Session,
  { json, region, ...where }: Common & { readonly region: string },
): Promise<ExitCode> {
  const { output, now } = session;
  return await withSystem(
    session,
    where,
    async (system) => {
      refuseUnknown(await system.regions(), region);
      const key = await generateRegionKey(region, now());
      await recorded(
        session,
        system,
        (act) => ({ type: KEY_ADD_BEGUN, data: { act, region, key: key.id } }),
        () => system.keys().add(region, key),
      );
      if (json) await output.json({ region, key: key.id });
      else
        await output.line(
          `Key ${key.id} seals for ${region} from now on. Back up its private key: losing it loses what it sealed.`,
        );
      return EXIT.done;
    },
    { makes: true },
  );
}

export async function retire(
  session: Session,
  { json, ...where }: Common,
  key: string,
): Promise<ExitCode> {
  const { output } = session;
  return await withSystem(session, where, async (system) => {
    const keys = system.keys();
    // An unknown one is refused before anything is recorded.
    if (!(await keys.list()).some(({ id }) => id === key)) await keys.retire(key);
    await recorded(
      session,
      system,
      (act) => ({ type: KEY_RETIRE_BEGUN, data: { act, key } }),
      () => keys.retire(key),
    );
    if (json) await output.json({ key, state: 'retired' });
    else
      await output.line(
        `Key ${key} seals no more. Keep its private key as long as something sealed to it exists.`,
      );
    return EXIT.done;
  });
}
