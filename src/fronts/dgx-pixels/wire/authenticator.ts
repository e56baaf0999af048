import { Reply } from 'zeromq';
import type { CurveServer } from './curve-keys.js';

/**
 * Lets in whoever has the secret of a key that the server knows (ZeroMQ's RFC 27, ZAP). ZeroMQ asks it for every connection to
 * a server's socket of this process; without it, nobody gets in.
 */
export class Authenticator {
  private readonly socket = new Reply({ linger: 0 });
  private readonly known: ReadonlySet<string>;

  constructor(
    { publicKey, clients }: CurveServer,
    private readonly onRefusal: (address: string) => void,
  ) {
    this.known = new Set([publicKey, ...clients].map((text) => decodeZ85(text).toString('hex')));
  }

  async start(): Promise<void> {
    await this.socket.bind('inproc://zeromq.zap.01');
    void this.answer();
  }

  close(): void {
    this.socket.close();
  }

  private async answer(): Promise<void> {
    for await (const [version, id, , address, , mechanism, credentials] of this.socket) {
      const knows =
        mechanism?.toString() === 'CURVE' &&
        credentials !== undefined &&
        this.known.has(credentials.toString('hex'));
      if (!knows) this.onRefusal(address?.toString() ?? 'unknown');
      const status = knows ? ['200', 'OK'] : ['400', 'unknown key'];
      await this.socket.send([version ?? '1.0', id ?? '', ...status, '', '']);
    }
  }
}

const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/** Five characters are four bytes, base 85, most significant first (ZeroMQ's RFC 32). */
function decodeZ85(text: string): Buffer {
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
