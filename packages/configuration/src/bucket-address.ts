import { z } from 'zod';

// Settings of any bucket, for a site or a ledger.

export const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
export const BUCKET_EXPECTED = "a bucket's name of 3 to 63 of a-z 0-9 . -";

/** The region in the store's request signature. */
export const AWS_REGION = /^[a-z0-9-]{1,64}$/;
export const AWS_REGION_EXPECTED =
  "a region as the store's signature names it, such as eu-central-2";

export const ENDPOINT_EXPECTED =
  'an address https://host or http://host:port, without user, password and query';

export function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  );
}

export const endpoint = { expected: ENDPOINT_EXPECTED, schema: z.string().refine(isEndpoint) };
