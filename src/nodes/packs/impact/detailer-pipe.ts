/** A pipe with detectors, and what it is made of. */
import { link, type CustomType, type ValueOf } from '../../public.js';
import type { BasicPipe } from './basic-pipe.js';
import { SAM_MODEL, type SegmentAnything } from './sam.js';
import { BBOX_DETECTOR, SEGM_DETECTOR, type Detector } from './segs.js';

export interface DetailerPipe extends BasicPipe {
  readonly wildcard: string;
  readonly bbox_detector: Detector;
  readonly segm_detector?: Detector | undefined;
  readonly sam_model?: SegmentAnything | undefined;
  readonly refiner_model?: ValueOf<'MODEL'> | undefined;
  readonly refiner_clip?: ValueOf<'CLIP'> | undefined;
  readonly refiner_positive?: ValueOf<'CONDITIONING'> | undefined;
  readonly refiner_negative?: ValueOf<'CONDITIONING'> | undefined;
}

export const DETAILER_PIPE = 'DETAILER_PIPE' as CustomType<DetailerPipe>;
/** Nothing makes one: what hooks change between steps is left as it is. */
export const DETAILER_HOOK = 'DETAILER_HOOK' as CustomType<never>;

export const detailerHook = link(DETAILER_HOOK);
export const samOption = link(SAM_MODEL, { tooltip: 'Narrows what was found to its outline.' });
export const segmOption = link(SEGM_DETECTOR, { tooltip: 'Narrows what was found to its outline.' });
export const bboxDetector = link(BBOX_DETECTOR, { tooltip: 'Finds the parts.' });
