/** `Idempotency-Key`: a request that is sent again makes nothing twice. */
import { ApiFault } from './fault.js';
import type { Shelf } from './shelf.js';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface KeyedRequest {
  readonly key: string | undefined;
  /** Of what was asked for: the same where a request is the same. */
  readonly digest: string;
  /** The id of what it makes. */
  readonly made: string;
}

const MAX_KEY = 255;

export class Idempotency {
  /** Requests that are being answered, by their keys. */
  private readonly underWay = new Map<string, Promise<unknown>>();

  /**
   * `replays`: an earlier answer is given again, instead of refusing the request as the specification has it. `exists` says whether
   * something was made, of a request whose answer never went out.
   */
  constructor(
    private readonly shelf: Shelf,
    private readonly replays: boolean,
    private readonly exists: (id: string) => Promise<boolean>,
  ) {}

  /**
   * Does what a request asks for, once for each key; `isReplay` where this is the answer of an earlier one. What `act` throws says that nothing
   * was made, and frees the key. Throws `ApiFault` (422) for a key that was used.
   */
  async answer(
    { key, digest, made }: KeyedRequest,
    act: () => Promise<Answer>,
  ): Promise<{ readonly status: number; readonly body: string; readonly isReplay: boolean }> {
    if (key === undefined) {
      const { status, body } = await act();
      return { status, body: JSON.stringify(body), isReplay: false };
    }
    if (key === '' || key.length > MAX_KEY) {
      throw new ApiFault(422, 'invalid_request', `Idempotency-Key must have 1 to ${MAX_KEY} characters`);
    }
    for (let other = this.underWay.get(key); other !== undefined; other = this.underWay.get(key)) {
      if (!this.replays) throw reused();
      await other.catch(() => undefined);
    }
    const known = this.shelf.claim(key);
    if (known !== undefined) {
      if (!this.replays && (known.answer !== null || (await this.exists(known.made)))) throw reused();
      if (this.replays && known.answer !== null && known.status !== null) {
        if (known.digest !== digest) throw reused();
        return { status: known.status, body: known.answer, isReplay: true };
      }
      if (await this.exists(known.made)) throw reused();
      this.shelf.releaseClaim(key);
    }
    this.shelf.putClaim(key, digest, made);
    const acting = act();
    this.underWay.set(key, acting);
    try {
      const { status, body } = await acting;
      const text = JSON.stringify(body);
      this.shelf.answerClaim(key, status, text);
      return { status, body: text, isReplay: false };
    } catch (error) {
      this.shelf.releaseClaim(key);
      throw error;
    } finally {
      this.underWay.delete(key);
    }
  }
}

function reused(): ApiFault {
  return new ApiFault(
    422,
    'idempotency_key_reuse',
    'this Idempotency-Key was used before: ask for the job or asset that the first request made, or send a new key',
  );
}
