import { execFileSync } from 'node:child_process';
import { mkdir, readdir, realpath, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectKey, sha256, sha256OfParts, submissionId } from '@residency/contracts';
import { expect, it } from 'vitest';
import { alterLog, temporaryFolder } from './residency.ts';

it('files go out in byte order of their names, links, pipes and the data directory stay, and too large ones are named', async () => {
  const folder = await temporaryFolder();
  const root = join(folder.path, 'in');
  await mkdir(join(root, 'sub'), { recursive: true });
  // In UTF-16 the emoji stands before U+FFFD, in bytes behind it.
  const names = ['B', 'a', 'sub/z', 'sub.x', 'é', '\uFFFD', '\u{1F600}'];
  for (const name of names) await writeFile(join(root, name), name);
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff)]), 'no text');
  await symlink('a', join(root, 'link'));
  await symlink('.', join(root, 'loop'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await writeFile(join(root, 'large'), '');
  await truncate(join(root, 'large'), 16 * 1024 * 1024 + 1);
  await writeFile(join(root, 'largest'), '');
  await truncate(join(root, 'largest'), 16 * 1024 * 1024);

  const { code, out, err } = await folder.run(
    'publish',
    'in',
    'in/link',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--data',
    'in/data',
    '--json',
  );
  expect(code).toBe(1);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string; submission: string; position: string });
  expect(lines.map(({ path }) => path)).toEqual([
    'in/B',
    'in/a',
    'in/largest',
    'in/sub/z',
    'in/sub.x',
    'in/é',
    'in/\uFFFD',
    'in/\u{1F600}',
    'in/\uFFFD',
  ]);
  expect(lines.map(({ position }) => position.replace(/^[^/]*/, 'log'))).toEqual(
    lines.map((_, offset) => `log/threat.samples/0/${offset}`),
  );
  const real = join(await realpath(root), 'a');
  expect(lines[1]).toEqual({
    path: 'in/a',
    submission: submissionId({
      source: 'urn:residency:cli',
      id: sha256OfParts(real, sha256(Buffer.from('a'))),
    }),
    position: expect.any(String),
  });
  for (const skipped of [
    'in/link: a link',
    'in/loop: a link',
    'in/pipe: neither file nor folder',
    'in/link: a link; name what it leads to',
  ])
    expect(err).toContain(`Skipped ${skipped}`);
  expect(err).toContain('Not published: in/large: over the limit of 16 MiB');
  expect(err).toContain('Published 9 files');

  // Now the data directory with its private keys stands in the folder.
  const again = await folder.run(
    'publish',
    'in',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--data',
    'in/data',
    '--json',
  );
  expect(
    again.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { submission: string }).submission),
  ).toEqual(lines.map(({ submission }) => submission));
  expect(again.err).toContain('Skipped in/data: a data directory');
});

it('nothing of a data directory goes out, whichever --data says, and a PATH in one is refused', async () => {
  const folder = await temporaryFolder();
  const offer = ['--country', 'CH', '--consent', 'consent-0001', '--data', 'mine'];
  // Somebody else's, below what is published, and one that another release wrote.
  await mkdir(join(folder.path, 'in/newer/keys'), { recursive: true });
  await writeFile(join(folder.path, 'in/newer/residency.json'), '{ "format": 99 }');
  await writeFile(join(folder.path, 'in/newer/keys/private.pem'), 'a key');
  await writeFile(join(folder.path, 'in/sample'), 'a sample');
  await mkdir(join(folder.path, 'in/other'));
  await writeFile(join(folder.path, 'in/other/residency.json'), '{"resident":1}');
  expect((await folder.run('keys', 'add', '--region', 'zurich', '--data', 'in/theirs')).code).toBe(
    0,
  );
  await folder.run(
    'consent',
    'grant',
    '--consent',
    'consent-0001',
    '--subject',
    's',
    '--data',
    'in/theirs',
  );
  await symlink('in/newer/keys', join(folder.path, 'link'));

  for (const path of [
    'in/theirs',
    'in/theirs/keys',
    'in/newer/keys/private.pem',
    'in/newer/.',
    'link/private.pem',
  ]) {
    const refused = await folder.run('publish', 'in/sample', path, ...offer);
    expect([refused.code, refused.out, refused.err]).toEqual([
      2,
      '',
      expect.stringMatching(/data directory, which holds private keys.*nothing was published/),
    ]);
  }
  expect(await readdir(folder.path)).not.toContain('mine');
  const published = await folder.run('publish', 'in', ...offer, '--json');
  expect(
    published.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { path: string }).path),
  ).toEqual(['in/other/residency.json', 'in/sample']);
  for (const skipped of ['in/newer', 'in/theirs'])
    expect(published.err).toContain(`Skipped ${skipped}: a data directory`);
});

it('a value no event can carry is refused by the name of its option, before anything is made', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  for (const [option, value] of [
    ['--country', 'C\nH'],
    ['--country', '\u{1FFFE}'],
    ['--consent', 'consent-0001\u0085'],
  ] as const) {
    // Files are not looked at either: one that is missing is not what is said.
    const refused = await folder.run(
      'publish',
      'missing',
      '--country',
      'CH',
      '--consent',
      'consent-0001',
      option,
      value,
    );
    expect([refused.code, refused.out, refused.err]).toEqual([
      2,
      '',
      expect.stringMatching(`Expected ${option} without control characters.*\\(USAGE\\)`),
    ]);
  }
  expect(await readdir(folder.path)).toEqual(['f']);
  for (const country of ['', ' ch ', 'É', 'x'.repeat(300)])
    expect(
      (await folder.run('publish', 'f', '--country', country, '--consent', '', '--again')).code,
    ).toBe(0);
});

it('route --once drops the payloads of what was settled long ago, and no others', async () => {
  const folder = await temporaryFolder();
  // Empty: quarantined before consent is asked for.
  await writeFile(join(folder.path, 'f'), '');
  const publish = async (source: string): Promise<string> =>
    (
      await folder.json(
        0,
        'publish',
        'f',
        '--country',
        'CH',
        '--consent',
        'consent-0001',
        '--source',
        source,
      )
    )[0]?.position ?? '';
  const aged = (days: number): void => {
    const ms = days * 86_400_000;
    alterLog(
      join(folder.path, '.residency/log.db'),
      // A policy's append time is in its ledger.
      `UPDATE record SET at = at - ${ms} WHERE topic = (SELECT id FROM topic WHERE name = 'threat.samples'); UPDATE audit SET settled_at = settled_at - ${ms}`,
    );
  };
  const kept = async (): Promise<unknown[]> =>
    (
      await Promise.all(positions.map((position) => folder.json(0, 'quarantine', 'show', position)))
    ).map(([row]) => row?.['record']);
  const positions = [await publish('urn:test:1')];
  await folder.run('route', '--once');
  positions.push(await publish('urn:test:2'));
  aged(8);
  // The second one has waited eight days and is settled now.
  await folder.run('route', '--once', '--retain', '9');
  expect(await kept()).toEqual(['kept', 'kept']);
  await folder.run('route', '--once');
  expect(await kept()).toEqual(['EXPIRED', 'kept']);
  expect((await folder.run('route', '--once', '--retain', '0')).code).toBe(2);
});

it('what is published is refused without consent, stored with it, and a duplicate when it is published again', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  await writeFile(join(folder.path, 'terms'), 'the terms');
  const publish = [
    'publish',
    'f',
    '--country',
    'jp',
    '--consent',
    'consent-0001',
    '--verdict',
    'malicious',
    '--source',
    'urn:test',
  ];
  const [published] = await folder.json(0, ...publish);
  const submission = String(published?.['submission']);
  expect(await folder.json(0, 'status', submission)).toEqual([
    { submission, state: 'pending', outcomes: [] },
  ]);
  expect(await folder.json(0, 'route', '--once')).toMatchObject([
    {
      submissions: 1,
      bytes: 6,
      outcomes: [{ outcome: 'refused', reason: 'CONSENT_UNKNOWN', submissions: 1, bytes: 6 }],
    },
  ]);

  expect(
    await folder.json(
      0,
      'consent',
      'grant',
      '--consent',
      'consent-0001',
      '--subject',
      'canary-subject',
      '--terms',
      'terms',
      '--terms-version',
      '7',
      '--purpose',
      'threat-sample-sharing',
      '--purpose',
      'more',
    ),
  ).toEqual([
    {
      consentId: 'consent-0001',
      event: 'granted',
      position: expect.stringMatching(/\/threat\.consents\/0\/0$/),
    },
  ]);
  await folder.json(0, ...publish);
  await folder.json(0, ...publish);
  const routed = await folder.run('route', '--once');
  expect([routed.code, routed.out]).toEqual([
    0,
    expect.stringMatching(
      /stored +zurich +1 +6\nduplicate +zurich +1 +6\n2 submissions, 12 B in .* submissions\/s, .* MB\/s/,
    ),
  ]);

  expect(await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001')).toMatchObject([
    { event: 'withdrawn' },
  ]);
  const [history] = await folder.json(0, 'consent', 'show', '--consent', 'consent-0001');
  expect(history).toEqual({
    consentId: 'consent-0001',
    intervals: [
      {
        from: expect.any(String),
        until: expect.any(String),
        purposes: ['threat-sample-sharing', 'more'],
        termsVersion: '7',
        termsSha256: sha256(Buffer.from('the terms')),
      },
    ],
  });
  expect((await folder.run('consent', 'show', '--consent', 'never-given')).out).toContain(
    'never given',
  );

  const [status] = await folder.json(0, 'status', submission);
  expect(
    status?.outcomes.map(({ outcome, region, reason }) => [outcome, region ?? reason]),
  ).toEqual([
    ['refused', 'CONSENT_UNKNOWN'],
    ['stored', 'zurich'],
    ['duplicate', 'zurich'],
  ]);
  expect(await folder.json(1, 'status', '0'.repeat(64))).toMatchObject([{ state: 'unknown' }]);

  const events = await folder.json(0, 'audit', 'list');
  expect(events.map(({ type }) => type)).toEqual(
    ['refused', 'stored', 'duplicate'].map((outcome) => `residency.sample.${outcome}.v1`),
  );
  const listed = async (...filters: readonly string[]): Promise<number> =>
    (await folder.json(0, 'audit', 'list', ...filters)).length;
  const time = events[1]?.time ?? '';
  expect([
    await listed('--outcome', 'stored'),
    await listed('--region', 'zurich'),
    await listed('--submission', '0'.repeat(64)),
    await listed('--from', time),
    await listed('--to', time),
  ]).toEqual([
    1,
    2,
    0,
    events.filter((event) => event.time >= time).length,
    events.filter((event) => event.time < time).length,
  ]);
  const text = await folder.run('audit', 'list');
  expect(text.out).toMatch(
    /^at +outcome +region or reason +country +bytes +position\n\S+ +refused +CONSENT_UNKNOWN +6 +\S+\n/,
  );
  expect(text.out + JSON.stringify(events)).not.toContain('canary-subject');

  expect(await folder.json(0, 'sample', 'list', '--region', 'zurich')).toEqual([
    {
      submission,
      key: objectKey(submission),
      country: 'JP',
      bytes: 6,
      at: time,
      sites: ['zrh-1', 'zrh-2'],
      owed: [],
    },
  ]);
  expect((await folder.run('reconcile')).code).toBe(0);
});
