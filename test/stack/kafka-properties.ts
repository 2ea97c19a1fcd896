/** On 127.0.0.1. */
export interface BrokerPorts {
  readonly client: number;
  readonly controller: number;
  /** A second listener for clients, advertised at the port of a proxy in front of it. */
  readonly proxied?: { readonly listen: number; readonly advertised: number };
}

export interface BrokerPlan {
  readonly id: number;
  readonly brokers: readonly BrokerPorts[];
  readonly data: string;
  /** Last word over every other setting. */
  readonly settings: Readonly<Record<string, string>>;
}

const at = (port: number): string => `127.0.0.1:${port}`;

/** The server.properties of a broker that is its own controller (KRaft combined mode). */
export function kafkaProperties({
  id,
  brokers,
  data,
  settings,
}: BrokerPlan): Record<string, string> {
  const ports = brokers[id - 1];
  if (ports === undefined)
    throw new Error(
      `Expected a broker between 1 and ${brokers.length}, found ${id}; count them from 1.`,
    );
  return {
    ...listeners(id, ports, brokers),
    ...replication(brokers.length),
    ...QUICK,
    'log.dirs': data,
    ...settings,
  };
}

function listeners(
  id: number,
  ports: BrokerPorts,
  brokers: readonly BrokerPorts[],
): Record<string, string> {
  const { proxied } = ports;
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': brokers
      .map(({ controller }, index) => `${index + 1}@${at(controller)}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    listeners: [
      `CLIENT://${at(ports.client)}`,
      `CONTROLLER://${at(ports.controller)}`,
      ...(proxied ? [`PROXIED://${at(proxied.listen)}`] : []),
    ].join(','),
    'advertised.listeners': [
      `CLIENT://${at(ports.client)}`,
      ...(proxied ? [`PROXIED://${at(proxied.advertised)}`] : []),
    ].join(','),
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
  };
}

/**
 * Every topic survives the loss of one of three brokers, and takes no write that only one of them
 * has.
 */
function replication(brokers: number): Record<string, string> {
  const [copies, inSync] = brokers === 1 ? ['1', '1'] : ['3', '2'];
  return {
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
  };
}

const QUICK = {
  // The contract of every topic of this system; a view's watermark is an append time.
  'log.message.timestamp.type': 'LogAppendTime',
  // A misspelt topic is an error, not a topic.
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  // Tests of a router that died need not wait as long as production does.
  'group.min.session.timeout.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '6000',
  // Brokers at rest compute little more than half as much without the controller's empty records twice a second,
  // and with fetches of followers that wait longer.
  'metadata.max.idle.interval.ms': '0',
  'replica.fetch.wait.max.ms': '2000',
  // Ten times fewer files at start.
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.num.partitions': '5',
  'log.cleaner.dedupe.buffer.size': '8388608',
};
