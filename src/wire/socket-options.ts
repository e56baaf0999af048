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
