/** What the shell is told. A run that a signal ended exits with 128 + the signal's number, as shells count it. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** A command line that can't be obeyed; shown without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
