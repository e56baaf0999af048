/** Which requests come from a page of another web site: ComfyUI's rule (server.py, create_origin_only_middleware). */
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Browsers let any page send a POST to this machine, and say in `Origin` whose page it was. As in ComfyUI, that counts where the
 * host that was asked is this machine; unlike there, no name is looked up for it.
 */
export function isForeign(headers: IncomingHttpHeaders): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return true;
  const { host, origin } = headers;
  if (host === undefined || origin === undefined) return false;
  const asked = hostOf(`http://${host}`);
  if (asked === undefined || !isLoopback(asked.name)) return false;
  const from = hostOf(origin);
  if (from === undefined) return origin !== 'null' && origin !== '';
  // As in ComfyUI: where one has no port, neither counts.
  return from.name !== asked.name || (from.port !== '' && asked.port !== '' && from.port !== asked.port);
}

function hostOf(origin: string): { readonly name: string; readonly port: string } | undefined {
  const [, name, port = ''] = /^[a-z][a-z\d+.-]*:\/\/(\[[^\]]*\]|[^:/]+)(?::(\d+))?\/?$/i.exec(origin) ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), port };
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
  );
}
