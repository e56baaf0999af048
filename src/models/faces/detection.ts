/** What detectors say of a picture, and how the same face found twice becomes one. */
import type { Landmarks } from './alignment.js';
import type { Picture } from './picture.js';

const { fround } = Math;

/** A face in a picture, in pixels. */
export interface Detection {
  /** Left, top, right, bottom. */
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly landmarks: Landmarks;
}

/** Finds the faces of a picture, the surest first. */
export type Detect = (picture: Picture) => Promise<readonly Detection[]>;

/**
 * torchvision.ops.nms, in float32: of boxes whose overlap is more than `limit` of what they cover together, only the surest
 * stays. Returned are those that stay, the surest first.
 */
export function withoutOverlaps<Found extends Pick<Detection, 'box' | 'score'>>(
  found: readonly Found[],
  limit: number,
): Found[] {
  const sorted = [...found].sort((a, b) => b.score - a.score);
  const kept: Found[] = [];
  for (const candidate of sorted) {
    if (kept.every((other) => overlap(other.box, candidate.box) <= limit)) kept.push(candidate);
  }
  return kept;
}

/** Intersection over union. Nothing over nothing is no number, and no overlap either. */
function overlap(a: Detection['box'], b: Detection['box']): number {
  const width = Math.max(0, fround(Math.min(a[2], b[2]) - Math.max(a[0], b[0])));
  const height = Math.max(0, fround(Math.min(a[3], b[3]) - Math.max(a[1], b[1])));
  const both = fround(width * height);
  const share = fround(both / fround(fround(area(a) + area(b)) - both));
  return Number.isNaN(share) ? 0 : share;
}

function area([left, top, right, bottom]: Detection['box']): number {
  return fround(fround(right - left) * fround(bottom - top));
}

/** Which of several faces are restored: all, the largest, or the one nearest to the picture's centre. */
export type FaceChoice = 'all' | 'largest' | 'center';

/** facerestore_cf's only_keep_largest and only_center_face. */
export function chosen(
  faces: readonly Detection[],
  choice: FaceChoice,
  { height, width }: Picture,
): readonly Detection[] {
  if (choice === 'all' || faces.length === 0) return faces;
  const clipped = (value: number, extent: number) => Math.min(Math.max(value, 0), extent);
  const rank = ({ box: [left, top, right, bottom] }: Detection): number =>
    choice === 'largest'
      ? -(clipped(right, width) - clipped(left, width)) * (clipped(bottom, height) - clipped(top, height))
      : Math.hypot((left + right - width) / 2, (top + bottom - height) / 2);
  return [faces.reduce((best, face) => (rank(face) < rank(best) ? face : best))];
}
