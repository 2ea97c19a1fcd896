import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { openStack } from '../../../test/stack/index.ts';
import type { OwnStack, OwnStackOptions } from '../../../test/stack/index.ts';

export interface SecondListener {
  readonly stack: OwnStack;
  /** Of the second listener, which the settings shape; the first one asks nobody who they are. */
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** A broker of its own whose second listener, `PROXIED`, is reached through a plain pipe. */
export async function openSecondListener(
  kafkaSettings: NonNullable<OwnStackOptions['kafkaSettings']>,
): Promise<SecondListener> {
  let target = 0;
  const pipe = createServer((client) => {
    const broker = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const)
      from.on('error', () => to.destroy()).pipe(to);
  });
  await new Promise<void>((resolve) => {
    pipe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = pipe.address() as AddressInfo;
  const stack = await openStack({ brokers: 1, kafkaProxyPorts: [port], kafkaSettings });
  target = stack.kafka.behindProxies[0] ?? 0;
  return {
    stack,
    port,
    close: async () => {
      await stack.close();
      pipe.close();
    },
  };
}
