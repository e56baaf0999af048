/** What fronts say of what they stand on: for /ready, and for /metrics. */
export interface VitalMeasure {
  /** Without `latentd_`; a counter where it ends in `_total`, else a gauge. */
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

export interface Vital {
  /** What it is of. */
  readonly name: string;
  /** `ok`, or what is wrong. */
  readonly check: () => string;
  /** Of now; never rejects, and doesn't wait for what is away. */
  readonly measure: () => Promise<readonly VitalMeasure[]>;
}

export class Vitals {
  private readonly all = new Set<Vital>();

  /** Returns what ends it. */
  add(vital: Vital): () => void {
    this.all.add(vital);
    return () => {
      this.all.delete(vital);
    };
  }

  checks(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.all].map(({ name, check }) => [name, check()]));
  }

  async measures(): Promise<readonly VitalMeasure[]> {
    return (await Promise.all([...this.all].map(({ measure }) => measure()))).flat();
  }
}
