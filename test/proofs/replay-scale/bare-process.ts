import { createHash } from 'node:crypto';
import { TOPICS } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';

// The least that any replay must do: read the same bytes in order and hash them. Prints the digest.
const data = await openDataDirectory(process.argv[2] ?? '');
const hash = createHash('sha256');
const length = Buffer.alloc(4);
let events = 0;
for await (const { value } of data.log.read(TOPICS.audit)) {
  if (value === null) continue;
  length.writeUInt32BE(value.length);
  hash.update(length).update(value);
  events += 1;
}
await data.close();
console.log(
  createHash('sha256')
    .update(`residency.audit/0 ${events} ${hash.digest('hex')}\n`)
    .digest('hex'),
);
