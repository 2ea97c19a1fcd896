/** Opens a stack, prints its folder and processes, and waits to be killed. */
import { openStack } from './index.ts';

const stack = await openStack({ brokers: 1, redis: true });
const { brokers, redis } = stack.servers;
redis.freeze();
console.log(
  JSON.stringify({ folder: stack.folder, pids: [...brokers, redis].map(({ pid }) => pid) }),
);
setInterval(() => {}, 1000);
