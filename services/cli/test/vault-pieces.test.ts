import { ACCESS_FORMS, ACCESS_ID, ACCESS_REFUSED, ACCESS_REQUESTED } from '@residency/contracts';
import type { CustodyEvent } from '@residency/contracts';
import { assert, integer, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newAccessId } from '../src/vault/access-id.ts';
import { AccessRows } from '../src/accesses/access-rows.ts';
import { fileNameIn } from '../src/vault/file-name.ts';
import { foundPageIn } from '../src/vault/found-page.ts';

describe('newAccessId', () => {
  it("is RFC 9562's example of version 7 (appendix A.6)", () => {
    expect(newAccessId(0x017f22e279b0, Buffer.from('0cc318c4dc0c0c07398f', 'hex'))).toBe(
      '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    );
  });

  it('is an access id, and begins with its time', () => {
    assert(
      property(
        integer({ min: 0, max: 2 ** 48 - 1 }),
        uint8Array({ minLength: 10, maxLength: 10 }),
        (now, random) => {
          const id = newAccessId(now, random);
          expect(id).toMatch(ACCESS_ID);
          expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(now);
        },
      ),
    );
  });
});

describe('fileNameIn', () => {
  const name = 'ab'.repeat(32);

  it('takes the names that a vault gives, and only them', () => {
    for (const ending of ['cart', 'zip', 'bin'])
      expect(fileNameIn(`attachment; filename="${name}.${ending}"`)).toBe(`${name}.${ending}`);
    for (const other of [
      null,
      '',
      `inline; filename="${name}.bin"`,
      `attachment; filename=${name}.bin`,
      `attachment; filename="${name}.exe"`,
      `attachment; filename="${name}"`,
      `attachment; filename="../${name}.bin"`,
      `attachment; filename="/etc/${name}.bin"`,
      `attachment; filename="${name.toUpperCase()}.bin"`,
      `attachment; filename="${name.slice(1)}.bin"`,
      `attachment; filename="${name}.bin"; filename*=UTF-8''x.exe`,
      `attachment; filename="${name}.bin\n"`,
    ])
      expect(fileNameIn(other)).toBe(undefined);
  });

  it('gives no path whatever the header is', () => {
    assert(
      property(string(), string(), (before, after) => {
        const found = fileNameIn(`attachment; filename="${before}${name}.bin${after}"`);
        expect(found ?? `${name}.bin`).toBe(`${name}.bin`);
      }),
    );
  });
});

describe('AccessRows', () => {
  const terms = {
    previous: null,
    region: 'zurich',
    access: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    of: 'log/threat.samples/0/1',
    submission: '1'.repeat(64),
    principal: 'ana',
    purpose: 'detection',
    reference: '2'.repeat(64),
    form: ACCESS_FORMS[0],
    until: '2026-11-02T10:31:44.002Z',
  };
  const requested = (at: number): CustodyEvent => ({
    log: 'log',
    sequence: 0,
    at,
    type: ACCESS_REQUESTED,
    data: { ...terms, approvals: 1 },
  });
  const refused = (at: number): CustodyEvent => ({
    log: 'log',
    sequence: 1,
    at,
    type: ACCESS_REFUSED,
    data: {
      previous: null,
      region: 'zurich',
      access: terms.access,
      principal: 'dan',
      code: 'APPROVER_NOT_ALLOWED',
    },
  });

  it('says of a refused approval what was asked for, and who was refused', () => {
    const rows = new AccessRows();
    rows.rowOf(requested(1_000));
    expect(rows.rowOf(refused(2_000))).toMatchObject({
      state: 'refused',
      principal: 'dan',
      purpose: 'detection',
      code: 'APPROVER_NOT_ALLOWED',
    });
  });

  it('says of a refused request only what its event says', () => {
    expect(new AccessRows().rowOf(refused(1_000))).toEqual({
      at: 1_000,
      region: 'zurich',
      state: 'refused',
      access: terms.access,
      principal: 'dan',
      code: 'APPROVER_NOT_ALLOWED',
    });
  });
});

describe('foundPageIn', () => {
  const sample = {
    submission: 'a'.repeat(64),
    region: 'zurich',
    position: 'log-1/threat.samples/0/7',
    at: '2026-01-01T00:00:00.000Z',
    country: 'CH',
    verdict: 'malicious',
    bytes: 10,
    sampleSha256: 'b'.repeat(64),
    erased: false,
  };

  it("takes a vault's answers, and nothing else of them", () => {
    const next = 'log-1/residency.audit/0/9';
    expect(foundPageIn({ samples: [{ ...sample, more: 1 }], next, more: 1 })).toEqual({
      samples: [sample],
      next,
    });
    expect(foundPageIn({ samples: [] })).toEqual({ samples: [] });
  });

  it('takes no other answer', () => {
    for (const other of [
      null,
      [],
      {},
      { samples: {} },
      { samples: [sample, null] },
      { samples: [], next: 1 },
      { samples: [], next: 'a\u001b[2J/residency.audit/0/1' },
      ...Object.keys(sample).map((name) => ({ samples: [{ ...sample, [name]: '\u001b[2J' }] })),
      ...Object.keys(sample).map((name) => ({ samples: [{ ...sample, [name]: undefined }] })),
    ])
      expect(foundPageIn(other)).toBe(undefined);
  });
});
