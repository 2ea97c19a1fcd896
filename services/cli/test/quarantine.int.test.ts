import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REDRIVE_HEADER, TOPICS, encodeQuarantinePointer } from '@residency/contracts';
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
  // What no command line publishes: no CloudEvent at all, and one with somebody's name in an
  // attribute.
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

it('only the record at which a partition stands can be set aside, once, and one that can be settled is settled all the same', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), SAMPLE);
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  const [first] = await folder.json(
    0,
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
  );
  await folder.json(
    0,
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--source',
    'urn:test:2',
  );
  const position = String(first?.position);
  const aside = (...args: readonly string[]) =>
    folder.run('quarantine', 'set-aside', ...args, '--reason', 'reported as a defect');
  const others = [
    'nonsense',
    position.replace(/0$/, '1'),
    position.replace(/0$/, '7'),
    position.replace('threat.samples/0', 'threat.samples/1'),
    position.replace('threat.samples', 'residency.audit'),
    `x${position}`,
  ];
  for (const other of others) expect([other, (await aside(other)).code]).toEqual([other, 2]);
  expect((await folder.run('quarantine', 'set-aside', position)).code).toBe(2);
  expect((await folder.run('quarantine', 'set-aside', position, '--reason', 'x\ufffd')).code).toBe(
    2,
  );
  expect((await aside(position)).out).toContain('is set aside');
  expect((await aside(position)).out).toContain('nothing was changed');
  expect(await folder.json(0, 'audit', 'list', '--control')).toMatchObject([
    { type: 'residency.record.set-aside.v1', data: { position, reason: 'reported as a defect' } },
  ]);
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect(await folder.json(0, 'quarantine', 'list')).toEqual([]);
  expect((await aside(position)).code).toBe(2);
});

const UNKNOWN = { key: null, headers: [], value: Buffer.from('no event') } as const;

it('what was redriven is marked with what became of it, and a record can be closed with a reason, once', async () => {
  const folder = await temporaryFolder();
  const data = await openDataDirectory(join(folder.path, '.residency'));
  await data.log.append(
    [UNKNOWN, UNKNOWN, UNKNOWN].map((record) => ({ topic: TOPICS.samples, record })),
  );
  await folder.run('route', '--once');
  const positions = (await folder.json(0, 'quarantine', 'list')).map(({ position }) => position);
  const [first = '', second = ''] = positions;
  const states = async (): Promise<unknown[]> =>
    (await folder.json(0, 'quarantine', 'list')).map(({ state }) => state);

  const end = await data.log.end(TOPICS.samples);
  expect(
    (
      await folder.json(
        0,
        'quarantine',
        'redrive',
        '--reason',
        'UNDECODABLE',
        '--dry-run',
        '--max',
        '2',
      )
    ).map(({ redriveOf, position }) => [redriveOf, position]),
  ).toEqual([
    [first, undefined],
    [second, undefined],
  ]);
  expect([await data.log.end(TOPICS.samples), await data.log.end(TOPICS.control)]).toEqual([
    end,
    0n,
  ]);

  expect((await folder.run('quarantine', 'close', first)).code).toBe(2);
  expect(
    (await folder.run('quarantine', 'close', first.replace(/0$/, '99'), '--reason', 'r')).code,
  ).toBe(2);
  const closed = await folder.run(
    'quarantine',
    'close',
    first,
    '--reason',
    'the publisher sent it again',
  );
  expect([closed.code, closed.out]).toEqual([0, `${first} closed\n`]);
  const again = await folder.run('quarantine', 'close', first, '--reason', 'another');
  expect([again.code, again.out, again.err]).toEqual([
    0,
    '',
    expect.stringContaining('closed before: the publisher sent it again'),
  ]);
  expect(await data.log.end(TOPICS.control)).toBe(1n);
  expect(await states()).toEqual(['closed', 'open', 'open']);
  expect(await folder.json(0, 'audit', 'list', '--control')).toMatchObject([
    {
      type: 'residency.quarantine.closed.v1',
      data: { position: first, reason: 'the publisher sent it again' },
    },
  ]);

  const one = await folder.run('quarantine', 'redrive', '--reason', 'UNDECODABLE', '--max', '1');
  expect([one.out, one.err]).toEqual([
    `${second} redriven at ${second.replace(/1$/, '3')}\n`,
    expect.stringContaining('1 more record is left by --max'),
  ]);
  expect(await states()).toEqual(['closed', 'redriven', 'open']);
  expect((await folder.run('quarantine', 'list')).out).toContain(
    `redriven at ${second.replace(/1$/, '3')}: waits`,
  );
  await folder.run('route', '--once');
  const listed = await folder.run('quarantine', 'list');
  expect(listed.out.split('\n')[0]).toMatch(/^position +reason +bytes +rounds +state +detail$/);
  expect(listed.out).toContain(`redriven at ${second.replace(/1$/, '3')}: quarantined UNDECODABLE`);
  expect(listed.err).toContain('4 records: 2 open, 1 redriven, 1 closed.');
  expect(
    (await folder.json(0, 'quarantine', 'list', '--open')).map(({ position, rounds }) => [
      position,
      rounds,
    ]),
  ).toEqual([
    [positions[2], 0],
    [second.replace(/1$/, '3'), 1],
  ]);
  expect((await folder.run('quarantine', 'close', second, '--reason', 'r')).err).toContain(
    'was redriven',
  );
  await data.close();
});

it('a conflict is listed and shown with the record that owns its identity, and with what differs', async () => {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  const publish = async (sample: string, country: string) => {
    await writeFile(join(folder.path, 'f'), sample);
    const args = ['--consent', 'consent-0001', '--id', 'case-1', '--again'];
    return await folder.json(0, 'publish', 'f', '--country', country, ...args);
  };
  const [published] = await publish(SAMPLE, 'CH');
  await publish('another', 'CH');
  await publish('another', 'DE');
  expect((await folder.run('route', '--once')).code).toBe(1);
  const [owner = '', first = '', second = ''] = (await folder.json(0, 'audit', 'list')).map(
    ({ id }) => String(id),
  );

  expect(await folder.json(0, 'quarantine', 'list')).toMatchObject([
    { position: first, reason: 'IDENTITY_CONFLICT', of: owner, differs: ['sample'] },
    { position: second, reason: 'IDENTITY_CONFLICT', of: owner, differs: ['sample', 'country'] },
  ]);
  const { out } = await folder.run('quarantine', 'list');
  expect(out).toContain(`; sample of ${owner} differs`);
  expect(out).toContain(`; sample and country of ${owner} differ`);
  expect((await folder.run('quarantine', 'show', second)).out).toMatch(
    new RegExp(`^of +${owner}$\ndiffers +sample, country$`, 'm'),
  );
  const submission = String(published?.['submission']);
  expect((await folder.json(0, 'status', submission))[0]?.outcomes).toMatchObject([
    { outcome: 'stored' },
    { outcome: 'quarantined', of: owner },
    { outcome: 'quarantined', of: owner },
  ]);
  expect((await folder.run('status', submission)).out).toMatch(
    new RegExp(`^quarantined +IDENTITY_CONFLICT .*${owner}$`, 'm'),
  );
  expect(await folder.json(0, 'audit', 'adjudicate')).toMatchObject([
    { events: 3, conflictsCompared: 2, differences: 0 },
  ]);
  expect((await folder.run('reconcile', '--open')).code).toBe(0);
});

it('a record that came back three times is redriven by a reason only if that is said', async () => {
  const folder = await temporaryFolder();
  const data = await openDataDirectory(join(folder.path, '.residency'));
  await data.log.append([{ topic: TOPICS.samples, record: UNKNOWN }]);
  await folder.run('route', '--once');
  for (let round = 0; round < 3; round += 1) {
    expect(await folder.json(0, 'quarantine', 'redrive', '--reason', 'UNDECODABLE')).toHaveLength(
      1,
    );
    await folder.run('route', '--once');
  }
  expect((await folder.json(0, 'quarantine', 'list')).map(({ rounds }) => rounds)).toEqual([
    0, 1, 2, 3,
  ]);
  const left = await folder.run('quarantine', 'redrive', '--reason', 'UNDECODABLE');
  expect([left.code, left.out, left.err]).toEqual([
    0,
    '',
    expect.stringMatching(/1 record came back 3 times or more: .*--again/),
  ]);
  expect(
    await folder.json(0, 'quarantine', 'redrive', '--reason', 'UNDECODABLE', '--again'),
  ).toHaveLength(1);
  expect((await folder.run('quarantine', 'redrive', '--again')).code).toBe(2);
  await data.close();
});

it.each([
  ['the same length', 'another!'],
  ['another length', 'another record'],
])("a stranger of %s at a pointer's position is neither shown nor sent", async (_, stranger) => {
  const folder = await temporaryFolder();
  const data = await openDataDirectory(join(folder.path, '.residency'));
  // As after a log was replaced: the pointer is about other bytes than those that stand there.
  await data.log.append([
    {
      topic: TOPICS.samples,
      record: {
        key: null,
        headers: [['ce_usercountry', Buffer.from('XX')]],
        value: Buffer.from(stranger),
      },
    },
  ]);
  const position = `${data.log.name}/${TOPICS.samples}/0/0`;
  const pointer = {
    position,
    reason: 'UNDECODABLE',
    detail: 'x',
    valueSha256: createHash('sha256').update('no event').digest('hex'),
    valueBytes: 8,
  } as const;
  await data.log.append([
    {
      topic: TOPICS.quarantine,
      record: { key: Buffer.from(position), headers: [], value: encodeQuarantinePointer(pointer) },
    },
  ]);
  const end = await data.log.end(TOPICS.samples);
  const shown = await folder.run('quarantine', 'show', position);
  expect([shown.code, shown.out, shown.err]).toEqual([
    1,
    expect.stringContaining('LOG_REPLACED'),
    expect.stringContaining('another record has this position'),
  ]);
  for (const chosen of [[position], ['--reason', 'UNDECODABLE'], [position, '--dry-run']]) {
    const redriven = await folder.run('quarantine', 'redrive', ...chosen);
    expect([redriven.code, redriven.out, redriven.err]).toEqual([
      1,
      '',
      expect.stringContaining(`${position}: LOG_REPLACED`),
    ]);
  }
  expect(await data.log.end(TOPICS.samples)).toBe(end);
  await data.close();
});
