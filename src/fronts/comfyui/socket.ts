/** `/ws`: one socket a client. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ClientSocket } from '../http/client-socket.js';
import type { Clients } from './audience.js';
import { serverFeatures } from './features.js';
import { isObject } from './request-body.js';
import type { Teller } from './teller.js';

export interface SocketOptions {
  readonly clients: Clients;
  readonly teller: Teller;
  readonly maxUpload: number;
}

const MAX_ID_LENGTH = 200;

export function socketRoute(app: FastifyInstance, { clients, teller, maxUpload }: SocketOptions): void {
  app.get('/ws', { websocket: true }, (connection: unknown, request) => {
    const socket = connection as ClientSocket;
    const { clientId = '' } = request.query as { readonly clientId?: string | string[] };
    const asked = [clientId].flat().at(-1) ?? '';
    const client = asked === '' || asked.length > MAX_ID_LENGTH ? randomUUID().replaceAll('-', '') : asked;
    let isFirst = true;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return;
      const message = jsonOf(data);
      // As in ComfyUI: what a client can do, it says first or never.
      if (isFirst && isObject(message) && message['type'] === 'feature_flags') {
        clients.learn(client, isObject(message['data']) ? message['data'] : {});
        clients.tell(client, { type: 'feature_flags', data: serverFeatures(maxUpload) });
      }
      if (message !== undefined) isFirst = false;
    });
    // What breaks the protocol is closed; that is all there is to say about it.
    socket.on('error', () => {
      socket.terminate();
    });
    clients.enter(client, socket, teller.greeting(client));
  });
}

function jsonOf(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
