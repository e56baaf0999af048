/** One request over HTTP: redirects, whom a token is shown to, and what a refusal means. */
import { shorten } from '../safe-text.js';
import { PullError } from './pull-error.js';

const MAX_REDIRECTS = 10;

export interface Ask {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Shown to the address itself; never to another site that it sends on to, and never in clear over a network. */
  readonly token?: string | undefined;
  /** The answer that sends on elsewhere is what is wanted. */
  readonly stayHere?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Asks, and follows where it is sent on to. Throws `PullError` for what isn't an answer of 200 to 299 (or, `stayHere`, to 399). */
export async function ask(request: Ask): Promise<Response> {
  let { url } = request;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await askOnce(url, request);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null || request.stayHere === true) {
      if (response.status < 400) return response;
      throw await refusal(url, response);
    }
    await response.body?.cancel();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (
      next === undefined ||
      !/^https?:$/.test(next.protocol) ||
      (url.protocol === 'https:' && next.protocol !== 'https:')
    ) {
      throw new PullError(
        `${url.origin} sends on to ${JSON.stringify(shorten(location))}, which isn't followed`,
      );
    }
    url = next;
  }
  throw new PullError(`${request.url.origin} sends on more than ${MAX_REDIRECTS} times`);
}

async function askOnce(
  url: URL,
  { method = 'GET', headers = {}, token, url: first, signal }: Ask,
): Promise<Response> {
  const shown = token !== undefined && url.origin === first.origin && isPrivate(url);
  try {
    return await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        // What is counted and hashed are the bytes of the file.
        'accept-encoding': 'identity',
        'user-agent': 'latentd',
        ...headers,
        ...(shown && { authorization: `Bearer ${token}` }),
      },
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new PullError(`${url.host} can't be reached: ${networkFault(error)}`, {
      cause: error,
      passing: true,
    });
  }
}

/** Whether nobody on the way can read what is sent. */
function isPrivate(url: URL): boolean {
  return url.protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}

/** `fetch failed` hides what happened in its cause. */
export function networkFault(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

async function refusal(url: URL, response: Response): Promise<PullError> {
  const { status, headers } = response;
  const said = headers.get('x-error-message') ?? (await reason(response));
  const passing = status === 408 || status === 429 || status >= 500;
  return new PullError(
    `${url.host} answers ${status}${said === '' ? '' : `: ${shorten(said)}`}${advice(url, response)}`,
    { passing },
  );
}

/** Of a JSON body, what it says; other bodies are pages for people. */
async function reason(response: Response): Promise<string> {
  try {
    const body: unknown = JSON.parse((await response.text()).slice(0, 10_000));
    if (typeof body !== 'object' || body === null) return response.statusText;
    const text = 'error' in body ? body.error : 'message' in body ? body.message : undefined;
    return typeof text === 'string' ? text : response.statusText;
  } catch {
    return response.statusText;
  }
}

function advice(url: URL, { status }: Response): string {
  if (status !== 401 && status !== 403) return '';
  const civitai = /civitai/.test(url.hostname);
  return civitai
    ? '; put an API key of your account into CIVITAI_TOKEN'
    : '; where the page of the model asks to accept a licence, do so, and put a token of your account into HF_TOKEN';
}
