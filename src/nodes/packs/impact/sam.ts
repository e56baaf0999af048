/** Outlines of what points and boxes show (modules/impact/core.py, make_sam_mask). */
import type { CustomType, Image, Mask } from '../../public.js';
import type { PartBox } from './segs.js';

/** A point of the picture in pixels; whether it lies on what is meant, or beside it. */
export interface Hint {
  readonly x: number;
  readonly y: number;
  readonly isInside: boolean;
}

/** A network that outlines things in one picture, 1×H×W×3. */
export interface SegmentAnything {
  /** Masks 1×H×W of 0 and 1 of what hints and boxes show, with the confidence in each. */
  look(
    image: Image,
  ): Promise<(hints: readonly Hint[], box: PartBox | undefined) => Promise<readonly ScoredMask[]>>;
}

export interface ScoredMask {
  readonly mask: Mask;
  readonly score: number;
}

export const SAM_MODEL = 'SAM_MODEL' as CustomType<SegmentAnything>;
