/** Which bytes of a file are there, as ranges in order that don't touch: [start, end), [start, end), … */
export type Range = readonly [start: number, end: number];

/** `have` and one more. */
export function withRange(have: readonly Range[], [start, end]: Range): readonly Range[] {
  if (end <= start) return have;
  const before = have.filter((range) => range[1] < start);
  const after = have.filter((range) => range[0] > end);
  const touching = have.filter((range) => range[1] >= start && range[0] <= end);
  const merged: Range = [
    Math.min(start, ...touching.map((range) => range[0])),
    Math.max(end, ...touching.map((range) => range[1])),
  ];
  return [...before, merged, ...after];
}

/** What is missing of `size` bytes, in pieces of at most `piece`. */
export function missingPieces(have: readonly Range[], size: number, piece: number): readonly Range[] {
  const pieces: Range[] = [];
  let at = 0;
  for (const [start, end] of [...have, [size, size] as const]) {
    for (; at < start; at = Math.min(start, at + piece)) pieces.push([at, Math.min(start, at + piece)]);
    at = end;
  }
  return pieces;
}

export function bytesOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}
