/** Whoever wants to hear that something has happened; what it is, they ask for themselves. */
export class Listeners {
  private readonly all = new Set<() => void>();

  /** Returns what ends it. */
  add(listener: () => void): () => void {
    this.all.add(listener);
    return () => {
      this.all.delete(listener);
    };
  }

  tell(): void {
    for (const listener of this.all) listener();
  }
}
