/** Figures as people read them. */

/** Three digits that count: `0.412 ms`, `41.2 ms`, `4.12 s`, `412 s`. */
export function formatTime(ms: number): string {
  return ms < 1000 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

/** `187 GFLOP/s`, `19.8 GB/s`: powers of 1000. */
export function formatRate(perSecond: number, unit: string): string {
  return `${formatCount(perSecond, unit)}/s`;
}

/** `809 GFLOP`, `1.72 GB`: powers of 1000. */
export function formatCount(count: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  const power = count < 1 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(count) / 3));
  return `${threeDigits(count / 1000 ** power)} ${prefixes[power]!}${unit}`;
}

/** `37 %` */
export function formatShare(share: number): string {
  return `${share < 0.095 ? (100 * share).toFixed(1) : (100 * share).toFixed(0)} %`;
}

/** Of after over before: `−12.3 %`, `+4.0 %`. */
export function formatChange(ratio: number): string {
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`;
}

function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
