import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { IntakeWorld, binary, submitted } from './intake-world.ts';

it('finishes requests in progress, ends idle connections at once and frees the port', async () => {
  const world = new IntakeWorld();
  const durable = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  world.beforeAppend = () => {
    begun.resolve();
    return durable.promise;
  };
  await world.start();
  const silent = world.raw('');
  const halfway = world.raw('GET /livez HTTP/1.1\r\nHost: loc');
  await Promise.all([once(silent.socket, 'connect'), once(halfway.socket, 'connect')]);
  const answer = world.post(binary(submitted()));
  await begun.promise;
  const { port } = world;
  const closed = world.intake.close();
  await Promise.all([silent.closed, halfway.closed]);
  await expect(world.get('/livez')).rejects.toThrow('fetch failed');
  durable.resolve();
  expect((await answer).status).toBe(202);
  expect((await answer).headers.get('connection')).toBe('close');
  await closed;
  await expect(new IntakeWorld().start({ port })).resolves.toBeInstanceOf(IntakeWorld);
});

it('cuts off a stuck request after the grace period', async () => {
  const world = await new IntakeWorld().start({ timeouts: { grace: 200 } });
  const stuck = world.raw(
    'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx',
  );
  await once(stuck.socket, 'connect');
  await world.get('/livez');
  await world.intake.close();
  await stuck.closed;
  expect(stuck.received).toBe('');
});

it('refuses further requests on a connection that stays open while it closes', async () => {
  const world = new IntakeWorld();
  const durable = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  world.beforeAppend = () => {
    begun.resolve();
    return durable.promise;
  };
  await world.start();
  const head =
    'POST /events HTTP/1.1\r\nHost: localhost\r\nce-specversion: 1.0\r\nce-id: a\r\nce-source: s\r\nce-type: threat.sample.submitted.v1\r\nContent-Length: 1\r\n\r\nx';
  const raw = world.raw(head);
  await begun.promise;
  const closed = world.intake.close();
  raw.socket.write(head);
  // Time for the second request to be read while the first is in hand.
  await delay(100);
  durable.resolve();
  await Promise.all([raw.closed, closed]);
  expect(raw.received).toMatch(/^HTTP\/1\.1 202 /);
  expect(world.appended).toHaveLength(1);
});

it('may be closed twice', async () => {
  const world = await new IntakeWorld().start();
  await Promise.all([world.intake.close(), world.intake.close()]);
  await expect(world.get('/livez')).rejects.toThrow('fetch failed');
});
