/** Which frames of a film a loader takes, and how large it makes them (ComfyUI-VideoHelperSuite, load_video_nodes.py). */
import { valueOf, type Rational } from '../../video/rational.js';

export const FILM_CATEGORY = 'Video Helper Suite 🎥🅥🅗🅢';

/** As the loader's inputs name them. */
export interface Selection {
  readonly force_rate: number;
  readonly frame_load_cap: number;
  readonly skip_first_frames: number;
  readonly select_every_nth: number;
}

export interface Sampling {
  /** About how many frames there will be. */
  readonly expected: number;
  /** Seconds between frames at the rate that is asked for, and between those that are taken. */
  readonly frameTime: { readonly sampled: number; readonly selected: number };
  /** How often the film's next frame is taken; `end` when no more are. */
  take(): number | 'end';
  /** As many were taken as may be. */
  isFull(): boolean;
}

/** `cv_frame_generator`: each frame counts for as long as the film's rate says, whatever its timestamp. */
export function sampleTimes(
  film: { readonly frameRate: Rational; readonly frames: number },
  selected: Selection,
): Sampling {
  const { force_rate, frame_load_cap: cap, skip_first_frames: skip, select_every_nth: nth } = selected;
  const base = 1 / valueOf(film.frameRate);
  const target = force_rate === 0 ? base : 1 / force_rate;
  const sampled = force_rate === 0 ? film.frames : Math.trunc((film.frames * base) / target);
  const possible = Math.max(0, Math.ceil((sampled - skip) / nth));
  let offset = target;
  let first = true;
  let counted = 0;
  let taken = 0;
  return {
    expected: cap > 0 ? Math.min(cap, possible) : possible,
    frameTime: { sampled: target, selected: target * nth },
    take() {
      if (cap > 0 && taken >= cap) return 'end';
      if (!first) offset += base;
      first = false;
      let times = 0;
      while (offset >= target && !(cap > 0 && taken >= cap)) {
        offset -= target;
        const index = counted++ - skip;
        if (index < 0 || index % nth !== 0) continue;
        taken++;
        times++;
      }
      return times;
    },
    isFull: () => cap > 0 && taken >= cap,
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** `target_size`: a side that is 0 follows from the other; both are rounded to multiples of `divisor`. */
export function targetSize(
  { width, height }: Size,
  { custom_width, custom_height }: { readonly custom_width: number; readonly custom_height: number },
  divisor: number,
): Size {
  const rounded = (side: number) => Math.trunc(side / divisor + 0.5) * divisor;
  const wide = custom_width > 0 ? custom_width : custom_height > 0 ? width * (custom_height / height) : width;
  const high =
    custom_height > 0 ? custom_height : custom_width > 0 ? height * (custom_width / width) : height;
  return { width: rounded(wide), height: rounded(high) };
}
