/** What both of the daemon's sockets have in common. */
import { connect } from 'node:net';

/**
 * Peers that vanish without a word are found by TCP's own probes: ZMTP's heartbeats would do the same, but not every client
 * library of the protocol's users understands them.
 */
export const SERVER_SOCKET_OPTIONS = {
  /** Milliseconds that `close` leaves ZeroMQ for messages that are on their way. */
  linger: 500,
  /** Milliseconds until a connection that never completes its greeting is dropped. */
  handshakeInterval: 3000,
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

/** Whether somebody answers at the path of an `ipc` address: ZeroMQ would take it over in silence, for that is how it gets rid of what a dead process has left. */
async function isServed(address: string): Promise<boolean> {
  const path = /^ipc:\/\/(\/.*|[^@*].*)$/.exec(address)?.[1];
  if (path === undefined) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', () => {
      answer(true);
    });
    socket.once('error', () => {
      answer(false);
    });
  });
}

interface Bindable {
  ipv6: boolean;
  readonly lastEndpoint: string | null;
  bind(address: string): Promise<void>;
}

/** Binds a socket and returns the endpoint with its port. Rejects with an `Error` that names the address. */
export async function bindSocket(socket: Bindable, address: string): Promise<string> {
  socket.ipv6 = isIpv6(address);
  if (await isServed(address)) throw new Error(`${address} can't be listened at: Address already in use`);
  await socket.bind(address).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${address} can't be listened at: ${reason}`, { cause });
  });
  return socket.lastEndpoint ?? address;
}
