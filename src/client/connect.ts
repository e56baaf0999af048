/** Which way to a daemon an address means. */
import { ClientError, type LatentdClient } from './client.js';

export interface ConnectOptions {
  /** Over HTTP: a token of `--http-tokens`. */
  readonly token?: string;
  /** Over ZeroMQ: where updates come from; by default the port after that of requests. */
  readonly updates?: string;
  /** Over ZeroMQ: a client's key file, as `latentd keys` makes them. */
  readonly curveKeys?: string;
}

/** The daemon's address where none is given. */
const DEFAULT_ADDRESS = 'tcp://127.0.0.1:5555';

/**
 * A client of the daemon at `address`: `http://127.0.0.1:8188`, or `tcp://127.0.0.1:5555` for one on this machine. Nothing is asked yet. Throws `ClientError`
 * for an address of another kind.
 */
export async function connect(
  address: string = DEFAULT_ADDRESS,
  options: ConnectOptions = {},
): Promise<LatentdClient> {
  if (/^https?:\/\/[^/]/.test(address)) {
    const { HttpClient } = await import('./http-client.js');
    return new HttpClient(address.replace(/\/+$/, ''), options.token);
  }
  const [, host, port] = /^(tcp:\/\/.+):(\d+)$/.exec(address) ?? [];
  if (host === undefined || port === undefined) {
    throw new ClientError(
      'unreachable',
      `${JSON.stringify(address)} is neither http://HOST:PORT nor tcp://HOST:PORT`,
    );
  }
  const { ZeroMqClient } = await import('./zeromq-client.js');
  return new ZeroMqClient(address, options.updates ?? `${host}:${Number(port) + 1}`, options.curveKeys);
}
