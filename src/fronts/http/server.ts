/** The server that every protocol over HTTP shares: its address, limits and errors, and who may ask. */
import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import multipart from '@fastify/multipart';
import serveStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { ConfigError } from '../../config/config-error.js';
import type { Settings } from '../../config/settings.js';
import { safeLine } from '../../safe-text.js';
import type { Front } from '../front.js';
import { isForeign } from './origins.js';
import type { HttpHouse, HttpRoutes } from './room.js';
import { readTokens, showsToken, type Tokens } from './tokens.js';

/** For a request to arrive as a whole: an upload over a slow line takes its time. */
const REQUEST_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 75_000;
/** Ids, names of files with their folders. */
const MAX_PARAMETER_LENGTH = 1000;
/** Of a frame that a client sends: feature flags are all that any does. */
const MAX_FRAME_BYTES = 2 ** 20;
const MAX_MESSAGE = 500;

/** Opens the server. Rejects when the address can't be listened at; then nothing is left behind. */
export async function openServer(
  address: string,
  rooms: readonly HttpRoutes[],
  house: HttpHouse,
): Promise<Front> {
  const { settings, log } = house;
  const { host, port } = parts(address);
  const tls = readTls(settings);
  const tokens = settings.httpTokens === undefined ? undefined : readTokens(settings.httpTokens);
  const app = createApp(settings, tls);
  try {
    await furnish(app, house, tokens);
    for (const routes of rooms) await app.register((scope) => routes(scope, house));
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw cause;
  }
  const scheme = tls === undefined ? 'http' : 'https';
  if (!isLoopbackAddress(app) && (tokens === undefined || tls === undefined)) {
    log.warn(
      { address: `${host}:${port}` },
      tokens === undefined
        ? 'HTTP is open to the network: whoever reaches it can run jobs and see pictures; see --http-tokens'
        : 'tokens go over the network in plain HTTP; see --tls-cert',
    );
  }
  return { addresses: { http: `${scheme}://${located(app)}` }, close: () => app.close() };
}

function createApp(settings: Settings, tls: { cert: Buffer; key: Buffer } | undefined): FastifyInstance {
  const options = {
    bodyLimit: settings.maxUpload,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Clients that keep a connection, or a WebSocket, don't keep the daemon from ending.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    ...(settings.maxConnections !== undefined && { maxConnections: settings.maxConnections }),
  };
  return tls === undefined ? fastify(options) : fastify({ ...options, https: tls });
}

async function furnish(app: FastifyInstance, { settings, log }: HttpHouse, tokens: Tokens | undefined) {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      log.error({ err: error, url: safeLine(request.url, MAX_MESSAGE) }, 'fault while answering');
    const message = status >= 500 ? 'the daemon failed to answer; its log says why' : error.message;
    return reply.code(status).send(errorBody(status, message));
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody(404, `there is no ${request.method} ${request.url}`)),
  );
  const { corsOrigin } = settings;
  if (corsOrigin === undefined) {
    app.addHook('onRequest', async (request, reply) => {
      if (isForeign(request.headers)) await reply.code(403).send();
    });
  } else {
    await app.register(cors, {
      origin: corsOrigin === '*' ? true : corsOrigin,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      credentials: corsOrigin !== '*',
    });
  }
  if (tokens !== undefined) {
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config.open === true || showsToken(tokens, request.headers.authorization))
        return;
      // Browsers ask their user, who gives any name and the token.
      await reply
        .code(401)
        .header('www-authenticate', 'Basic realm="latentd", charset="UTF-8", Bearer')
        .send(errorBody(401, 'a token is needed: Authorization: Bearer TOKEN'));
    });
  }
  await app.register(multipart, { limits: { fileSize: settings.maxUpload } });
  await app.register(serveStatic, { serve: false, root: settings.output });
  await app.register(websocket, { options: { maxPayload: MAX_FRAME_BYTES } });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'latentd', version: '1', description: 'Every protocol that latentd speaks over HTTP.' },
      ...(tokens !== undefined && {
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
        security: [{ token: [] }],
      }),
    },
    hideUntagged: true,
  });
  app.get('/openapi.json', () => app.swagger());
}

/** What latentd says where no protocol says it in its own way. */
export function errorBody(status: number, message: string) {
  const code = (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(/\W+/g, '_');
  return { error: { code, message: safeLine(message, MAX_MESSAGE) } };
}

function parts(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '*' ? '::' : host, port: Number(address.slice(colon + 1)) };
}

/** Where it listens, with the port that was chosen. */
function located(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function isLoopbackAddress(app: FastifyInstance): boolean {
  const { address } = app.server.address() as AddressInfo;
  return address === '::1' || address.startsWith('127.');
}

function readTls({ tlsCert, tlsKey }: Settings): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ConfigError('--tls-cert and --tls-key are given together, or neither is');
  }
  return { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey) };
}

function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError(`${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
