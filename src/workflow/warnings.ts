/** Takes what models say while they are used to the node that uses them. */
export class WarningRelay {
  private listener: ((text: string) => void) | undefined;

  /** For models: tells whoever listens now. */
  readonly tell = (text: string): void => {
    this.listener?.(text);
  };

  /** From now on, `listener` is told; nobody when there is none. */
  redirect(listener: ((text: string) => void) | undefined): void {
    this.listener = listener;
  }
}
