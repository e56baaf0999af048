/** Somebody who connects to a ZeroMQ port as one of its sockets does, and then says nothing. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** ZMTP 3.0's greeting with the NULL mechanism, as a client. */
const GREETING = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
  Buffer.from('NULL'),
  Buffer.alloc(48),
]);

function ready(type: 'DEALER' | 'SUB'): Buffer {
  const body = Buffer.from(
    `\x05READY\x0bSocket-Type\0\0\0${String.fromCharCode(type.length)}${type}`,
    'latin1',
  );
  return Buffer.concat([Buffer.from([4, body.byteLength]), body]);
}

export function connectStranger(address: string, type: 'DEALER' | 'SUB' = 'DEALER'): Socket {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(Buffer.concat([GREETING, ready(type)]));
  return socket;
}

/** Resolves once the other side has closed so many of the connections. */
export async function untilClosed(strangers: readonly Socket[], count: number): Promise<void> {
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const stranger of strangers) {
      void once(stranger, 'close').then(() => {
        if (++closed === count) resolve();
      });
    }
  });
}
