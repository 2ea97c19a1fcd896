import { sha256 } from '@residency/contracts';
import type { Sealer } from '@residency/routing';
import { here } from '../process.ts';

/** Seals nothing, but binds what a real one binds, and differs each time as a real one does. */
export const simulatedSealer: Sealer = {
  seal: async (sample, { region, policyDigest, sampleSha256, submission }) => {
    const message = Buffer.from(
      JSON.stringify({
        region,
        policyDigest,
        sampleSha256,
        submission,
        sample: sample.toString('hex'),
        nonce: here().random.int(2 ** 31),
      }),
    );
    return { message, sealedSha256: sha256(message), wrappingKey: `${region}-key` };
  },
};
