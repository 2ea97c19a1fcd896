import { SALT } from '@residency/testkit';
import { DatabaseSync } from 'node:sqlite';
import { encodeKafkaStructured } from '@residency/cloudevents';
import { TOPICS } from '@residency/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteLog } from '../src/sqlite-log.ts';
import { consentRecord, someLog, text } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let some: SomeLog;
beforeEach(async () => {
  some = await someLog();
});
afterEach(async () => {
  await some.close();
});

const grant = (consentId: string) =>
  consentRecord({
    kind: 'granted',
    consentId,
    purposes: ['threat-sample-sharing'],
    termsVersion: '1',
  });

describe('the views of the embedded log', () => {
  it('count the records they had to pass over', async () => {
    const bad = text('neither');
    await some.log.append([
      { topic: TOPICS.consents, record: bad },
      { topic: TOPICS.consents, record: grant('consent-0001') },
      { topic: TOPICS.consents, record: bad },
      { topic: TOPICS.policy, record: bad },
    ]);
    expect(await some.log.consentView().skipped()).toBe(2);
    const policies = some.log.policyView();
    await policies.read();
    await policies.read();
    expect(policies.skipped()).toBe(1);
  });

  it('are built anew where an earlier release projected a consent that is none today: what they say follows from the log alone', async () => {
    const data = Buffer.from(
      String.raw`{"consentId":"consent-lone","purposes":["threat-sample-sharing"],"termsVersion":"\ud800"}`,
    );
    const lone = {
      key: Buffer.from('consent-lone/e'),
      ...encodeKafkaStructured({
        specversion: '1.0',
        id: 'e',
        source: 'urn:test',
        type: 'consent.granted.v1',
        datacontenttype: 'application/json',
        extensions: { salt: SALT },
        data,
      }),
    };
    await some.log.append([
      { topic: TOPICS.consents, record: lone },
      { topic: TOPICS.consents, record: grant('consent-0001') },
    ]);
    await some.log.close();
    // As version 1 left it, written by hand.
    const db = new DatabaseSync(some.file);
    db.prepare('INSERT OR REPLACE INTO consent (id, intervals) VALUES (?, ?)').run(
      'consent-lone',
      String.raw`[{"from":1,"purposes":["threat-sample-sharing"],"termsVersion":"\ud800"}]`,
    );
    db.exec('UPDATE projection SET next = 2; PRAGMA user_version = 1');
    db.close();
    const log = await openSqliteLog({ file: some.file, now: () => Date.now() });
    expect(await log.consentHistory('consent-lone')).toEqual([]);
    expect(await log.consentHistory('consent-0001')).toHaveLength(1);
    expect(await log.consentView().skipped()).toBe(1);
    await log.close();
  });

  it('fold each consent event once, however many processes read', async () => {
    const other = await openSqliteLog({ file: some.file, now: () => Date.now() });
    const id = 'consent-0001';
    for (let round = 0; round < 20; round += 1) {
      await some.log.append([{ topic: TOPICS.consents, record: grant(id) }]);
      await Promise.all(
        [some, { log: other }].map(async ({ log }) => await log.consentHistory(id)),
      );
    }
    const history = await other.consentHistory(id);
    await other.close();
    expect(history).toHaveLength(20);
    expect(history.slice(0, -1).map(({ until }) => until)).toEqual(
      history.slice(1).map(({ from }) => from),
    );
    expect(await some.log.consentHistory('consent-none')).toEqual([]);
  });

  it('catch up with thousands of consents in one reading', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `consent-${10_000 + index}`);
    await some.log.append(ids.map((id) => ({ topic: TOPICS.consents, record: grant(id) })));
    const { histories } = await some.log.consentView().read(ids);
    expect(histories.size).toBe(2_500);
  });
});
