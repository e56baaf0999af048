/**
 * The similarity (turn, uniform scale and shift) between two sets of points that OpenCV 4 finds by least median of squares:
 * `cv2.estimateAffinePartial2D(from, to, method=cv2.LMEDS)`, modules/calib3d/src/ptsetreg.cpp. Its random choices come from a
 * generator that starts anew at every call, so the result is a function of the points.
 */

export type Point = readonly [x: number, y: number];

/** [a, −b, x, b, a, y]: two rows of three, as OpenCV lays them out. */
export type Similarity = readonly [number, number, number, number, number, number];

const CONFIDENCE = 0.99;
const OUTLIERS = 0.45;
const SAMPLE = 2;
/** RANSACUpdateNumIters for these numbers; there is no limit of iterations near it. */
const ITERATIONS = Math.round(Math.log(1 - CONFIDENCE) / Math.log(1 - (1 - OUTLIERS) ** SAMPLE));

/** Undefined when no two points differ. `from` and `to` are of equal length, at least three. */
export function estimateSimilarity(from: readonly Point[], to: readonly Point[]): Similarity | undefined {
  const sources = from.map(rounded);
  const targets = to.map(rounded);
  const best = leastMedian(sources, targets);
  if (best === undefined) return undefined;
  const sigma = Math.max(2.5 * 1.4826 * (1 + 5 / (from.length - SAMPLE)) * Math.sqrt(best.median), 0.001);
  const near = errors(best.model, sources, targets).map((error) => error <= Math.fround(sigma * sigma));
  const kept = near.filter(Boolean).length;
  if (kept < SAMPLE) return undefined;
  const inliers = (points: readonly Point[]) => points.filter((_, index) => near[index]);
  // OpenCV refines by Levenberg and Marquardt's method, which for a linear problem ends at the least squares.
  return leastSquares(inliers(sources), inliers(targets));
}

function leastMedian(
  sources: readonly Point[],
  targets: readonly Point[],
): { readonly model: Similarity; readonly median: number } | undefined {
  const random = multiplyWithCarry();
  const count = sources.length;
  let best: { readonly model: Similarity; readonly median: number } | undefined;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const first = random(count);
    let second = random(count);
    while (second === first) second = random(count);
    const model = leastSquares([sources[first]!, sources[second]!], [targets[first]!, targets[second]!]);
    if (model === undefined) continue;
    const median = errors(model, sources, targets).sort((a, b) => a - b)[count >> 1]!;
    if (best === undefined || median < best.median) best = { model, median };
  }
  return best;
}

/** The similarity of least squared distances. */
function leastSquares(sources: readonly Point[], targets: readonly Point[]): Similarity | undefined {
  const [sourceX, sourceY] = centre(sources);
  const [targetX, targetY] = centre(targets);
  let norm = 0;
  let along = 0;
  let across = 0;
  sources.forEach(([x, y], index) => {
    const [u, v] = targets[index]!;
    norm += (x - sourceX) ** 2 + (y - sourceY) ** 2;
    along += (x - sourceX) * (u - targetX) + (y - sourceY) * (v - targetY);
    across += (x - sourceX) * (v - targetY) - (y - sourceY) * (u - targetX);
  });
  if (norm === 0) return undefined;
  const a = along / norm;
  const b = across / norm;
  return [a, -b, targetX - a * sourceX + b * sourceY, b, a, targetY - b * sourceX - a * sourceY];
}

function centre(points: readonly Point[]): Point {
  const sum = (axis: 0 | 1) => points.reduce((total, point) => total + point[axis], 0);
  return [sum(0) / points.length, sum(1) / points.length];
}

/** Squared distances in float32, as OpenCV compares them. */
function errors(model: Similarity, sources: readonly Point[], targets: readonly Point[]): number[] {
  const [m0, m1, m2, m3, m4, m5] = model.map(Math.fround) as unknown as Similarity;
  return sources.map(([x, y], index) => {
    const [u, v] = targets[index]!;
    return Math.fround((m0 * x + m1 * y + m2 - u) ** 2 + (m3 * x + m4 * y + m5 - v) ** 2);
  });
}

function rounded([x, y]: Point): Point {
  return [Math.fround(x), Math.fround(y)];
}

/** `cv::RNG` seeded with −1: whole numbers below `count`. */
function multiplyWithCarry(): (count: number) => number {
  let state = 0xffffffffffffffffn;
  return (count) => {
    state = (state & 0xffffffffn) * 4164903690n + (state >> 32n);
    return Number(state & 0xffffffffn) % count;
  };
}
