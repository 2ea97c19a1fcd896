import { generateRegionKey } from '@residency/sealing';
import type { Command } from 'commander';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { refuseUnknown } from '../policies.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { withSystem } from '../with-system.ts';

export function keysCommand(program: Command, session: Session, answer: Answer): void {
  const keys = group(program, 'keys', "See and rotate the regions' keys.", [
    'keys list',
    'keys add --region zurich',
  ]);
  describe(
    keys,
    'list',
    'All keys; of each region the newest that is not retired seals, and every one opens.',
    ['keys list', 'keys list --json'],
  ).action(answering(answer, (options: Common) => list(session, options)));
  describe(keys, 'add', 'Add a key; from now on it seals.', ['keys add --region zurich'])
    .requiredOption('--region <region>', 'the region')
    .action(
      answering(answer, (options: Common & { readonly region: string }) => add(session, options)),
    );
  describe(keys, 'retire', 'Retire a key: it seals no more, and still opens what it sealed.', [
    'keys retire zurich-20260131T120000000Z-0123abcd',
  ])
    .argument('<key>', 'its id')
    .action(answering(answer, (options: Common, key: string) => retire(session, options, key)));
}

async function list(session: Session, { json, ...where }: Common): Promise<ExitCode> {
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

async function add(
  session: Session,
  { json, region, ...where }: Common & { readonly region: string },
): Promise<ExitCode> {
  const { output, now } = session;
  return await withSystem(session, where, async (system) => {
    refuseUnknown(await system.regions(), region);
    const key = await generateRegionKey(region, now());
    await system.keys().add(region, key);
    if (json) await output.json({ region, key: key.id });
    else
      await output.line(
        `Key ${key.id} seals for ${region} from now on. Back up its private key: losing it loses what it sealed.`,
      );
    return EXIT.done;
  });
}

async function retire(
  session: Session,
  { json, ...where }: Common,
  key: string,
): Promise<ExitCode> {
  const { output } = session;
  return await withSystem(session, where, async (system) => {
    await system.keys().retire(key);
    if (json) await output.json({ key, state: 'retired' });
    else
      await output.line(
        `Key ${key} seals no more. Keep its private key as long as something sealed to it exists.`,
      );
    return EXIT.done;
  });
}
