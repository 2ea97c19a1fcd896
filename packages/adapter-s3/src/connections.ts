/** The used part of Node's agents, which the SDK makes and keeps. */
interface Agent {
  readonly sockets: Sockets;
  readonly freeSockets: Sockets;
  /** Node asks it of each connection whose request has ended; `false` closes it. */
  keepSocketAlive(socket: object): unknown;
}

type Sockets = Readonly<Record<string, readonly { destroy(): unknown }[] | undefined>>;

/** Sees to it that connections which are kept for later requests can be given up. */
export class Connections {
  readonly #handler: object;
  readonly #known = new WeakSet<Agent>();
  readonly #old = new WeakSet();

  /** `handler`: the SDK's request handler, which makes its agents with the first request. */
  constructor(handler: object) {
    this.#handler = handler;
  }

  /** How many connections there are, or are being made. */
  get count(): number {
    let count = 0;
    for (const { sockets, freeSockets } of this.#agents())
      for (const all of [sockets, freeSockets])
        for (const name in all) count += all[name]?.length ?? 0;
    return count;
  }

  closeIdle(): void {
    for (const { freeSockets } of this.#agents())
      for (const sockets of Object.values(freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
  }

  /** Requests that begin later use connections that are made later; those in work end on theirs. */
  renew(): void {
    this.closeIdle();
    for (const agent of this.#agents()) this.#renew(agent);
  }

  #agents(): readonly Agent[] {
    return agentsOf(this.#handler).filter((agent) => isAgent(agent));
  }

  #renew(agent: Agent): void {
    this.#watch(agent);
    for (const sockets of Object.values(agent.sockets))
      for (const socket of sockets ?? []) this.#old.add(socket);
  }

  #watch(agent: Agent): void {
    if (this.#known.has(agent)) return;
    this.#known.add(agent);
    const keep = agent.keepSocketAlive.bind(agent);
    agent.keepSocketAlive = (socket) => !this.#old.has(socket) && keep(socket);
  }
}

function agentsOf(handler: object): readonly unknown[] {
  if (!('httpHandlerConfigs' in handler) || typeof handler.httpHandlerConfigs !== 'function')
    return [];
  const configs: unknown = handler.httpHandlerConfigs();
  return typeof configs === 'object' && configs !== null ? Object.values(configs) : [];
}

function isAgent(value: unknown): value is Agent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'freeSockets' in value &&
    'keepSocketAlive' in value
  );
}
