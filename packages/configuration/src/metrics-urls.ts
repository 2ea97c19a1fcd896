import { z } from 'zod';
import { isEndpoint } from './bucket-address.ts';

export const metricsUrls = {
  expected:
    'a comma-separated list of addresses http://host:port or https://host, without user, password and query',
  schema: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().refine(isEndpoint)).min(1).max(64)),
};
