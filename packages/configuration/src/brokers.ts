import { z } from 'zod';

const BROKER = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,254}|\[[0-9A-Fa-f:.]{2,45}\]):([1-9]\d{0,4})$/;

export const brokers = {
  expected: 'a comma-separated list of host:port',
  schema: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(
      z
        .array(z.string().refine((broker) => Number(BROKER.exec(broker)?.[1] ?? 65_536) <= 65_535))
        .min(1)
        .max(64),
    ),
};
