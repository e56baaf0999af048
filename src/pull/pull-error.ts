/** What keeps a file from being pulled: a reference, a server's answer, a file that isn't what it should be. */
export class PullError extends Error {
  override readonly name = 'PullError';
  /** The same request may work a little later. */
  readonly passing: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly passing?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.passing = options.passing ?? false;
  }
}
