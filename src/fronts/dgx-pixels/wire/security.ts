/** CURVE, ZeroMQ's encryption, on a client's side, and which addresses can do without. */
import type { Socket } from 'zeromq';
import type { CurveClient } from './curve-keys.js';

type SecurableSocket = Socket & {
  curveSecretKey: string | null;
  curvePublicKey: string | null;
  curveServerKey: string | null;
};

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
