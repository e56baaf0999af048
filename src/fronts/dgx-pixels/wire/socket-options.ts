/** What both of the daemon's sockets have in common. */

/**
 * Peers that vanish without a word are found by TCP's own probes: ZMTP's heartbeats would do the same, but not every client
 * library of the protocol's users understands them.
 */
export const SERVER_SOCKET_OPTIONS = {
  /** Milliseconds that `close` leaves ZeroMQ for messages that are on their way. */
  linger: 500,
  /** Milliseconds until a connection that never completes its greeting is dropped. */
  handshakeInterval: 10_000,
  /** Connections that wait to be accepted. */
  backlog: 1024,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 60,
  tcpKeepaliveInterval: 15,
  tcpKeepaliveCount: 4,
} as const;

/** Whether an address is one of IPv6, which ZeroMQ looks at only where it is told to. */
export function isIpv6(address: string): boolean {
  return address.startsWith('tcp://[');
}

interface Bindable {
  ipv6: boolean;
  readonly lastEndpoint: string | null;
  bind(address: string): Promise<void>;
}

/** Binds a socket and returns the endpoint with its port. Rejects with an `Error` that names the address. */
export async function bindSocket(socket: Bindable, address: string): Promise<string> {
  socket.ipv6 = isIpv6(address);
  await socket.bind(address).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${address} can't be listened at: ${reason}`, { cause });
  });
  return socket.lastEndpoint ?? address;
}
