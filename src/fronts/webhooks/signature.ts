/** Signatures as standardwebhooks.com describes them: receivers check them with any of its libraries. */
import { createHmac } from 'node:crypto';

export type Secret = Buffer;

/** `whsec_` and base64, or any text. */
export function readSecret(text: string): Secret {
  const secret = text.trim();
  return secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

/** The headers of a message; `at` is Unix time in milliseconds. */
export function signed(
  secret: Secret | undefined,
  id: string,
  body: string,
  at: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const hash = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${hash}` };
}
