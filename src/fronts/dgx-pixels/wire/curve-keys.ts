/** CURVE keys and the files that they are kept in. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { curveKeyPair } from 'zeromq';

/** Z85 text of 32 bytes, as `zmq_curve_keypair` makes them. */
const key = z
  .string()
  .regex(/^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/, 'expected a Z85 key of 40 characters');

const serverSchema = z.strictObject({
  publicKey: key,
  secretKey: key,
  /** Public keys of the clients that may connect. */
  clients: z.array(key),
});
export type CurveServer = z.infer<typeof serverSchema>;

const clientSchema = z.strictObject({ serverKey: key, publicKey: key, secretKey: key });
export type CurveClient = z.infer<typeof clientSchema>;

/** A file of keys that can't be used; the message names the file and what is wrong. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** Fresh keys of a server and of one client that it lets in. */
export function createKeys(): { readonly server: CurveServer; readonly client: CurveClient } {
  const server = curveKeyPair();
  const client = curveKeyPair();
  return {
    server: { ...server, clients: [client.publicKey] },
    client: { serverKey: server.publicKey, ...client },
  };
}

/** Writes keys for their owner alone; an existing file is an error. */
export function writeKeys(file: string, keys: CurveServer | CurveClient): void {
  writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
}

/** Throws `KeyFileError`, also for a file that others may read. */
export function readServerKeys(file: string): CurveServer {
  const result = serverSchema.safeParse(readKeys(file));
  if (result.success) return result.data;
  throw new KeyFileError(`${file} holds no server's keys: ${z.prettifyError(result.error)}`);
}

/** A client's keys; on the daemon's own machine its key file serves too. Throws `KeyFileError`. */
export function readClientKeys(file: string): CurveClient {
  const keys = readKeys(file);
  const server = serverSchema.safeParse(keys);
  if (server.success) {
    const { publicKey, secretKey } = server.data;
    return { serverKey: publicKey, publicKey, secretKey };
  }
  const result = clientSchema.safeParse(keys);
  if (result.success) return result.data;
  throw new KeyFileError(`${file} holds no client's keys: ${z.prettifyError(result.error)}`);
}

function readKeys(file: string): unknown {
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new Error(`others than its owner may read it; chmod 600 ${file}`);
    }
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new KeyFileError(
      `${file} can't be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/** Five characters are four bytes, base 85, most significant first (ZeroMQ's RFC 32). */
export function decodeZ85(text: string): Buffer {
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let group = 0; group < text.length / 5; group++) {
    const digits = Array.from(text.slice(group * 5, group * 5 + 5), (digit) => Z85.indexOf(digit));
    bytes.writeUInt32BE(
      digits.reduce((value, digit) => value * 85 + digit, 0),
      group * 4,
    );
  }
  return bytes;
}
