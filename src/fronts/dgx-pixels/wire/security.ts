/** CURVE, ZeroMQ's encryption and authentication, and which addresses can do without. */
import type { Socket } from 'zeromq';
import type { CurveClient, CurveServer } from './curve-keys.js';

type SecurableSocket = Socket & {
  curveServer: boolean;
  curveSecretKey: string | null;
  curvePublicKey: string | null;
  curveServerKey: string | null;
};

/** Clients of this domain have to show a key that the authenticator knows. */
const ZAP_DOMAIN = 'latentd';

/** Encrypts a server's socket; without keys it stays plain, as the protocol's old clients are. */
export function applySecurity(
  socket: SecurableSocket & { zapDomain: string | null },
  keys: CurveServer | undefined,
): void {
  if (keys === undefined) return;
  socket.zapDomain = ZAP_DOMAIN;
  socket.curveServer = true;
  socket.curveSecretKey = keys.secretKey;
}

/** Encrypts a client's socket. */
export function applyClientSecurity(socket: SecurableSocket, keys: CurveClient | undefined): void {
  if (keys === undefined) return;
  socket.curveServerKey = keys.serverKey;
  socket.curvePublicKey = keys.publicKey;
  socket.curveSecretKey = keys.secretKey;
}

/** Whether an endpoint is reachable from this machine alone. */
export function isLoopback(address: string): boolean {
  if (address.startsWith('ipc://') || address.startsWith('inproc://')) return true;
  const host = /^tcp:\/\/(\[[^\]]*\]|[^:]*):/.exec(address)?.[1] ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
