/** Fractions as ffmpeg writes them: frame rates, time bases, aspects. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** `30000/1001` or `4:3`; undefined for anything else, and for what is zero or infinite. */
export function parseRational(text: unknown): Rational | undefined {
  const match = /^(\d+)[/:](\d+)$/.exec(typeof text === 'string' ? text : '');
  const [num, den] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  return num > 0 && den > 0 ? { num, den } : undefined;
}

export function valueOf({ num, den }: Rational): number {
  return num / den;
}

export function formatRational({ num, den }: Rational): string {
  return `${num}/${den}`;
}
