/**
 * Hugging Face, civitai and a store of bytes behind them as servers of this machine: their addresses, redirects, headers and
 * refusals, with what each was asked.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SiteFile {
  readonly bytes: Uint8Array;
  /** Whom it is shown to; everybody otherwise. */
  readonly token?: string;
  /** What the site says of it, where that is false. */
  readonly sha256?: string;
}

export interface Asked {
  readonly at: 'site' | 'store';
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface ModelSites {
  readonly huggingFace: string;
  readonly civitai: string;
  readonly store: string;
  /** By path: `OWNER/REPO/FILE` of Hugging Face, the id of a version of civitai, a path of the store. */
  readonly files: Map<string, SiteFile>;
  readonly asked: Asked[];
  /** Bytes after which the store ends each answer; Infinity for none. */
  breakAfter: number;
  /** Whether the store gives parts. */
  ranges: boolean;
  /** Called for each answer of the store before its bytes go. */
  onAnswer: (path: string) => Promise<void> | void;
  close(): Promise<void>;
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function openModelSites(): Promise<ModelSites> {
  const sites = {
    files: new Map<string, SiteFile>(),
    asked: [] as Asked[],
    breakAfter: Infinity,
    ranges: true,
    onAnswer: (() => undefined) as ModelSites['onAnswer'],
  };
  const note = (at: Asked['at'], { method = '', url = '', headers }: IncomingMessage) =>
    sites.asked.push({ at, method, path: url, range: headers.range, authorization: headers.authorization });

  const store = await listen(async (request, response) => {
    note('store', request);
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname.slice(1));
    const file = sites.files.get(path);
    if (file === undefined) return void response.writeHead(404).end();
    const { bytes } = file;
    const wanted = sites.ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null;
    const [from, to] = wanted === null ? [0, bytes.length] : [Number(wanted[1]), Number(wanted[2]) + 1];
    const part = bytes.subarray(from, Math.min(to, bytes.length));
    response.writeHead(wanted === null ? 200 : 206, {
      etag: `"${sha256Of(bytes).slice(0, 12)}"`,
      'content-length': part.length,
      ...(wanted !== null && { 'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}` }),
    });
    await sites.onAnswer(path);
    if (part.length <= sites.breakAfter) return void response.end(part);
    response.write(part.subarray(0, sites.breakAfter), () => response.destroy());
  });

  const site = await listen((request, response) => {
    note('site', request);
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const resolved = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    if (resolved !== null) resolve(`${resolved[1]!}/${decodeURIComponent(resolved[3]!)}`, request, response);
    else if (pathname.startsWith('/api/download/models/'))
      fetchVersion(pathname.split('/').at(-1)!, request, response);
    else if (pathname.startsWith('/api/v1/')) describe(pathname, response);
    else response.writeHead(404).end();
  });

  /** Hugging Face: what large files are is said by the answer that sends on to their store. */
  function resolve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = sites.files.get(path);
    const error = (status: number, code: string, message: string) =>
      response.writeHead(status, { 'x-error-code': code, 'x-error-message': message }).end();
    if (file === undefined) return void error(404, 'EntryNotFound', 'Entry not found');
    if (file.token !== undefined && request.headers.authorization !== `Bearer ${file.token}`)
      return void error(401, 'GatedRepo', 'Access to model is restricted');
    const { bytes } = file;
    response
      .writeHead(302, {
        location: `${origin(store)}/${encodeURI(path)}`,
        'x-repo-commit': 'c'.repeat(40),
        'x-linked-size': bytes.length,
        'x-linked-etag': `"${file.sha256 ?? sha256Of(bytes)}"`,
      })
      .end();
  }

  /** civitai: version 2 is the newest of model 1; names, types and hashes by its API. */
  function describe(path: string, response: ServerResponse): void {
    const version = (id: number) => {
      const file = sites.files.get(String(id))!;
      return {
        id,
        model: { name: 'Pixels', type: 'LORA' },
        files: [
          {
            name: 'training.zip',
            type: 'Training Data',
            downloadUrl: `https://civitai.com/api/download/models/${id}?type=Training`,
          },
          {
            name: `pixels-v${id}.safetensors`,
            type: 'Model',
            primary: true,
            hashes: { SHA256: (file.sha256 ?? sha256Of(file.bytes)).toUpperCase() },
            downloadUrl: `https://civitai.com/api/download/models/${id}?type=Model`,
          },
        ],
      };
    };
    const found =
      path === '/api/v1/models/1'
        ? { id: 1, type: 'LORA', modelVersions: [version(2), version(1)] }
        : /^\/api\/v1\/model-versions\/[12]$/.test(path)
          ? version(Number(path.at(-1)))
          : undefined;
    response
      .writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(found ?? { error: 'No model with id 7' }));
  }

  function fetchVersion(id: string, request: IncomingMessage, response: ServerResponse): void {
    const file = sites.files.get(id)!;
    if (file.token !== undefined && request.headers.authorization !== `Bearer ${file.token}`)
      return void response
        .writeHead(401)
        .end(JSON.stringify({ error: 'Unauthorized', message: 'The creator requires login' }));
    response.writeHead(307, { location: `${origin(store)}/${id}` }).end();
  }

  return Object.assign(sites, {
    huggingFace: origin(site),
    civitai: origin(site),
    store: origin(store),
    close: async () => {
      for (const server of [site, store]) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  });
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

async function listen(handle: Handler): Promise<Server> {
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
