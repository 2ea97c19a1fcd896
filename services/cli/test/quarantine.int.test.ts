import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REDRIVE_HEADER, TOPICS } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import { expect, it } from 'vitest';
import { temporaryFolder } from './residency.ts';

const SAMPLE = 'canary-of-the-sample';

it('quarantined records are listed, shown without their sample, redriven once, and quarantined again by name', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), SAMPLE);
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await folder.json(0, 'publish', 'f', '--country', 'EU', '--consent', 'consent-0001');
  const data = await openDataDirectory(join(folder.path, '.residency'));
  // What no command line publishes: no CloudEvent at all, and one with somebody's name in an attribute.
  await data.log.append([
    {
      topic: TOPICS.samples,
      record: {
        key: null,
        headers: [['x', Buffer.from('canary-header')]],
        value: Buffer.from(SAMPLE),
      },
    },
    {
      topic: TOPICS.samples,
      record: {
        key: null,
        headers: Object.entries({
          ce_specversion: '1.0',
          ce_type: 'other',
          ce_source: 's',
          ce_id: 'i',
          ce_subject: 'canary-person',
        }).map(([name, value]) => [name, Buffer.from(value)] as const),
        value: null,
      },
    },
  ]);
  expect((await folder.run('route', '--once')).code).toBe(1);

  const listed = await folder.json(0, 'quarantine', 'list');
  expect(listed.map(({ reason }) => reason)).toEqual([
    'COUNTRY_UNKNOWN',
    'UNDECODABLE',
    'UNKNOWN_TYPE',
  ]);
  const [country = '', undecodable = '', person = ''] = listed.map(({ position }) => position);
  expect(await folder.json(0, 'quarantine', 'show', country)).toMatchObject([
    {
      position: country,
      reason: 'COUNTRY_UNKNOWN',
      valueBytes: SAMPLE.length,
      record: 'kept',
      attributes: { usercountry: 'EU', consentid: 'consent-0001' },
    },
  ]);
  const shown = await Promise.all(
    [country, undecodable, person].map((position) => folder.run('quarantine', 'show', position)),
  );
  expect(shown.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(shown.map(({ out }) => out).join('')).not.toContain('canary');
  expect([
    (await folder.run('quarantine', 'show', 'nonsense')).code,
    (await folder.run('quarantine', 'show', country.replace(/0$/, '99'))).code,
  ]).toEqual([2, 2]);

  for (const wrong of [
    [],
    ['--reason', 'COUNTRY_UNKNOWN', country],
    ['--reason', 'NO_SUCH'],
    [country, country.replace(/0$/, '99')],
  ])
    expect((await folder.run('quarantine', 'redrive', ...wrong)).code).toBe(2);
  const [redriven] = await folder.json(0, 'quarantine', 'redrive', undecodable);
  expect(redriven).toMatchObject({
    redriveOf: undecodable,
    position: undecodable.replace(/1$/, '3'),
  });
  // Not routed yet, and not redriven twice all the same.
  expect(await folder.json(0, 'quarantine', 'redrive', '--reason', 'UNDECODABLE')).toEqual([]);
  expect((await folder.run('route', '--once')).code).toBe(1);
  const event = (await folder.json(0, 'audit', 'list')).at(-1);
  expect(event?.['data']).toMatchObject({ reason: 'UNDECODABLE', redriveOf: undecodable });

  const [next] = await folder.json(0, 'quarantine', 'redrive', '--reason', 'UNDECODABLE');
  expect(next?.['redriveOf']).toBe(redriven?.['position']);
  const record = await data.log.readAt({
    log: data.log.name,
    topic: TOPICS.samples,
    partition: 0,
    offset: 4n,
  });
  expect(
    record?.headers
      .filter(([name]) => name === REDRIVE_HEADER)
      .map(([, value]) => value.toString()),
  ).toEqual([redriven?.['position']]);
  expect(record?.value?.toString()).toBe(SAMPLE);
  expect((await folder.run('route', '--once')).code).toBe(1);

  await data.log.dropExpired(Date.now() + 60_000);
  expect(await folder.json(0, 'quarantine', 'show', country)).toMatchObject([
    { record: 'EXPIRED', reason: 'COUNTRY_UNKNOWN' },
  ]);
  const expired = await folder.run('quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN');
  expect([expired.code, expired.err]).toEqual([1, expect.stringContaining('EXPIRED')]);
  await data.close();
});
