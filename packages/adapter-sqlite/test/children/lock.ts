// Takes the lock, says so, and keeps it until it is killed.
import { acquireRoutingLock } from '../../src/routing-lock.ts';

const [, , file = ''] = process.argv;
await acquireRoutingLock(file);
process.stdout.write('locked\n');
setInterval(() => undefined, 60_000);
