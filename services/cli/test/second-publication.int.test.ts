import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { inProcess } from './in-process.ts';

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-second-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('a file published a second time with another country or consent is refused by name, and goes out only on purpose', async () => {
  const folder = await temporary();
  const docs = join(folder, 'docs');
  const data = ['--data', join(folder, 'data')];
  await mkdir(docs);
  for (const name of ['one', 'two']) await writeFile(join(docs, name), name);
  for (const consent of ['consent-0001', 'consent-0002'])
    await inProcess(['consent', 'grant', '--consent', consent, '--subject', 'someone', ...data]);
  const publish = (path: string, country: string, consent: string, ...more: readonly string[]) =>
    inProcess(['publish', path, '--country', country, '--consent', consent, ...more, ...data]);
  expect((await publish(docs, 'BR', 'consent-0001')).code).toBe(0);
  const second = await publish(docs, 'DE', 'consent-0001');
  expect([second.code, second.out]).toEqual([1, '']);
  for (const name of ['one', 'two'])
    expect(second.err).toContain(
      `Not published: ${join(docs, name)}: published before with country BR; --again`,
    );
  expect((await publish(docs, 'BR', 'consent-0002')).err).toContain(
    'published before under another consent',
  );
  // The documentation asks publishers to retry the same submission.
  expect((await publish(docs, 'br', 'consent-0001')).code).toBe(0);
  await writeFile(join(docs, 'two'), 'changed');
  const { code, out } = await publish(docs, 'DE', 'consent-0001', '--json');
  expect([code, out.trimEnd().split('\n').length]).toEqual([1, 1]);

  expect((await publish(docs, 'DE', 'consent-0001', '--id', 'case-1')).err).toContain(
    'Expected a single file with --id',
  );
  expect((await publish(join(docs, 'one'), 'DE', 'consent-0001', '--id', 'case-1')).code).toBe(0);
  expect((await publish(join(docs, 'two'), 'BR', 'consent-0001', '--id', 'case-1')).code).toBe(1);

  await inProcess(['route', '--once', ...data]);
  expect((await inProcess(['reconcile', ...data])).code).toBe(0);
  expect((await publish(join(docs, 'one'), 'DE', 'consent-0001', '--again')).code).toBe(0);
  await inProcess(['route', '--once', ...data]);
  const found = await inProcess(['reconcile', ...data]);
  expect([found.code, found.out, found.err]).toEqual([
    1,
    expect.stringMatching(/^ALSO_IN +zurich /m),
    expect.stringContaining('ask the publisher which country was meant'),
  ]);
  expect((await inProcess(['reconcile', '--allow-also-in', ...data])).code).toBe(0);
});

it("so is one to an intake, from the user's own record; where none can be kept, that is said", async () => {
  const folder = await temporary();
  const intake = createServer((request, response) => {
    request
      .resume()
      .on('end', () =>
        response
          .writeHead(202, { 'content-type': 'application/json' })
          .end('{"accepted":[{"position":"log/threat.samples/0/0"}]}'),
      );
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    intake.close();
  });
  await once(intake, 'listening');
  const address = intake.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  await writeFile(join(folder, 'sample'), 'sample');
  const to = (country: string, state: string) =>
    inProcess(
      [
        'publish',
        join(folder, 'sample'),
        '--country',
        country,
        '--consent',
        'consent-0001',
        '--url',
        url,
      ],
      { env: { XDG_STATE_HOME: join(folder, state) } },
    );
  expect((await to('BR', 'state')).code).toBe(0);
  expect(await to('DE', 'state')).toMatchObject({
    code: 1,
    err: expect.stringContaining('published before with country BR'),
  });
  expect(await to('DE', 'sample/none')).toMatchObject({
    code: 0,
    err: expect.stringContaining('No record can be kept'),
  });
});

it('a country that is no code is published, for the router to judge, with a warning that names the code', async () => {
  const folder = await temporary();
  await writeFile(join(folder, 'sample'), 'sample');
  const publish = (country: string) =>
    inProcess([
      'publish',
      join(folder, 'sample'),
      '--country',
      country,
      '--consent',
      'consent-0001',
      '--source',
      'urn:test:warned',
      '--again',
      '--data',
      join(folder, 'data'),
    ]);
  expect(await publish('Switzerland')).toMatchObject({
    code: 0,
    err: expect.stringContaining('--country is no assigned country code (CH is meant?)'),
  });
  for (const country of ['UK', 'ß'])
    expect((await publish(country)).err).toContain('--country is no assigned country code:');
  expect((await publish('ch')).err).not.toContain('no assigned');
});
