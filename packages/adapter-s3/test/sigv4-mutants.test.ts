import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { beforeAll, expect, test } from 'vitest';
import type * as Sigv4 from '../src/sigv4.ts';
import { preparedBySdk } from './sdk-witness.ts';
import type { PreparedRequest } from './sdk-witness.ts';

// Each part of a signature, left out or wrong in the code itself: the SDK's signatures tell it from
// the right one.

const SOURCE = readFileSync(new URL('../src/sigv4.ts', import.meta.url), 'utf8');
const MUTANTS: readonly (readonly [name: string, from: string, to: string])[] = [
  ['the method is left out', '`${request.method}\\n', '`\\n'],
  ['the path is left out', '\\n${request.path}\\n', '\\n/\\n'],
  ['the line of the query is left out', '${request.path}\\n\\n', '${request.path}\\n'],
  ['the headers are left out', '\\n${lines}\\n', '\\n\\n'],
  ['the names of the headers are left out', '${names}\\n$', '\\n$'],
  ["the payload's digest is left out", '\\n${request.payloadSha256}`', '\\n`'],
  ['the algorithm is left out', '.update(`${ALGORITHM}\\n', '.update(`\\n'],
  ['the time is left out', '\\n${time}\\n', '\\n\\n'],
  ['the scope is left out', '\\n${scope}\\n', '\\n\\n'],
  ['the request is not hashed', "hash('sha256', canonical)", 'canonical'],
  ['another algorithm', "hash('sha256', canonical)", "hash('sha512', canonical)"],
  ['the scope lacks the day', '`${day}/${this.#region}/', '`${this.#region}/'],
  ['the scope lacks the region', '/${this.#region}/', '/'],
  ['the scope lacks the service', '/${this.#service}/', '/'],
  ['the scope lacks its end', '/${TERMINATOR}`', '`'],
  ['the key lacks the day', '[day, this.#region', '[this.#region'],
  ['the key lacks the region', '[day, this.#region, ', '[day, '],
  ['the key lacks the service', 'this.#service, TERMINATOR]', 'TERMINATOR]'],
  ['the key lacks its end', ', TERMINATOR]', ']'],
  ['the key lacks its beginning', '`AWS4${secret}`', 'secret'],
  ['the key is another secret’s', 'secret !== this.#secret', 'false'],
  ['the key is another day’s', 'day !== this.#day', 'false'],
  ['the key is never kept for its day', 'this.#day = day', "this.#day = ''; this.#key.fill(0)"],
  ['the credential lacks the key id', 'Credential=${credentials.accessKeyId}/', 'Credential='],
  ['the credential lacks the scope', '/${scope}, ', ', '],
  ['the names are not sent', 'SignedHeaders=${names}', 'SignedHeaders='],
  ['a header is left out', 'let at = 0;', 'let at = 2;'],
  ["a header's name is left out", '`${name}:${', '`:${'],
  ["a header's value is left out", '${folded(value)}', ''],
  ["a header's line does not end", '${folded(value)}\\n', '${folded(value)}'],
  ['the names are separated otherwise', '`;${name}`', '`,${name}`'],
  ['the headers are not sorted', 'if (name < previous)', 'if (false)'],
  ['the headers are sorted backwards', 'one < other ? -1 : 1', 'one < other ? 1 : -1'],
  ['white space counts', '/^[ \\t]|[ \\t]$|[ \\t]{2}|\\t/.test(value)', 'false'],
  ['white space within counts', ".replaceAll(/[ \\t]+/g, ' ')", ''],
  ['white space around counts', ".replaceAll(/^ | $/g, '')", ''],
  ['a tab counts', '|\\t/.test', '/.test'],
  ['slashes are encoded', "found === '%2F' ? '/'", "found === '%2F' ? '%2F'"],
  ["!'()* are not encoded", "|[!'()*]", ''],
  ['they are encoded in lower case', '.toUpperCase()', ''],
  ['blanks are not encoded', '[A-Za-z0-9_.~/-]*', '[A-Za-z0-9_.~/ -]*'],
];

type Case = PreparedRequest & {
  readonly key: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly payload: string;
};

let cases: Case[];
beforeAll(async () => {
  const one = async (
    region: string,
    secretAccessKey: string,
    key: string,
    isHead: boolean,
  ): Promise<Case> => {
    const credentials = { accessKeyId: `AKID-${secretAccessKey}`, secretAccessKey };
    return {
      ...(await preparedBySdk(
        {
          region,
          credentials,
          forcePathStyle: true,
          endpoint: 'http://localhost:9',
          requestChecksumCalculation: 'WHEN_REQUIRED',
        },
        {
          Bucket: 'bucket',
          Key: key,
          isHead,
          Body: 'body',
          IfNoneMatch: '*',
          Metadata: { one: '  a \t b', two: '', three: 'x\ty', four: 'v ' },
        },
      )),
      key,
      region,
      credentials,
      payload: isHead ? '' : 'body',
    };
  };
  cases = [
    await one('us-east-1', 'first', 'samples/00/11/aa', false),
    await one('us-east-1', 'second', "a b/ü!'()*", true),
    await one('eu-central-2', 'second', 'a b', false),
  ];
});

/** Whether a signer signs as the SDK did, in the order of the SDK's headers and in their own. */
function agrees({ Signer, encodePath }: typeof Sigv4): boolean {
  const signers = new Map<string, Sigv4.Signer>();
  return [...yesterday(), ...cases].every((one) => {
    const { authorization, 'user-agent': _, ...signed } = one.headers;
    const signer = signers.get(one.region) ?? new Signer(one.region, 's3');
    signers.set(one.region, signer);
    return [Object.entries(signed), inOrder(signed)].every(
      (headers) =>
        one.path === `/bucket/${encodePath(one.key)}` &&
        signer.authorization(
          {
            method: one.method,
            path: one.path,
            headers: headers.flat(),
            payloadSha256: createHash('sha256').update(one.payload).digest('hex'),
          },
          one.credentials,
          signed['x-amz-date'] ?? '',
        ) === authorization,
    );
  });
}

function inOrder(headers: Readonly<Record<string, string>>): readonly [string, string][] {
  return Object.entries(headers).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** The same on another day, signed by the right code alone. */
function yesterday(): readonly Case[] {
  return cases.slice(0, 1).map((one) => {
    const time = '20261128T105552Z';
    const headers: Record<string, string> = { ...one.headers, 'x-amz-date': time };
    const { authorization: _, 'user-agent': __, ...signed } = headers;
    return {
      ...one,
      headers: {
        ...headers,
        authorization: new right.Signer(one.region, 's3').authorization(
          {
            method: one.method,
            path: one.path,
            headers: Object.entries(signed).flat(),
            payloadSha256: createHash('sha256').update(one.payload).digest('hex'),
          },
          one.credentials,
          time,
        ),
      },
    };
  });
}

async function built(source: string): Promise<typeof Sigv4> {
  const code = Buffer.from(stripTypeScriptTypes(source)).toString('base64');
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as typeof Sigv4;
}

const right = await built(SOURCE);

test('the signer as it is signs as the SDK does', () => {
  expect(agrees(right)).toBe(true);
});

test.each(MUTANTS)('is found: %s', async (_, from, to) => {
  expect(SOURCE.split(from).length).toBeGreaterThan(1);
  const mutant = await built(SOURCE.replace(from, () => to));
  // One that throws is found as well; its stack would name the module by all of its bytes.
  let isRight = false;
  try {
    isRight = agrees(mutant);
  } catch {}
  expect(isRight).toBe(false);
});
