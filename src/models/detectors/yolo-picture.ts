/** From a picture to a YOLO network's input, and from its outputs to what is in the picture (ultralytics' predictors). */
import type { NamedTensors } from '../../compute/backend.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { resizeLinear } from '../../native/addon.js';
import { withoutOverlaps } from '../faces/detection.js';
import type { YoloHead } from './yolo-network.js';

const { fround } = Math;
const GREY = 114;
/** ultralytics/cfg/default.yaml: iou and max_det; nms.py: max_nms and max_wh. */
const OVERLAP = 0.7;
const MOST_FOUND = 300;
const MOST_COMPARED = 30_000;
const APART = 7680;

/** A picture within the network's input. */
export interface Letterbox {
  /** 1×3×H×W of 0 to 1. */
  readonly pixels: Tensor;
  readonly top: number;
  readonly left: number;
  readonly gain: number;
}

/** A picture of three channels within a grey frame of multiples of `stride`, its longer side `height` or `width` (data/augment.py, LetterBox). */
export function letterbox(
  picture: BytePicture,
  { height, width, stride }: { readonly height: number; readonly width: number; readonly stride: number },
): Letterbox {
  const ratio = Math.min(height / picture.height, width / picture.width);
  const [rows, columns] = [roundHalfEven(picture.height * ratio), roundHalfEven(picture.width * ratio)];
  const [down, across] = [((height - rows) % stride) / 2, ((width - columns) % stride) / 2];
  const frame = (side: number) => [roundHalfEven(side - 0.1), roundHalfEven(side + 0.1)] as const;
  const [[top, bottom], [left, right]] = [frame(down), frame(across)];
  const values = Float32Array.from(picture.data);
  const isSame = rows === picture.height && columns === picture.width;
  const [scaleY, scaleX] = [picture.height / rows, picture.width / columns];
  const data = isSame
    ? values
    : resizeLinear(values, 3, picture.height, picture.width, true, rows, columns, scaleY, scaleX);
  const [fullRows, fullColumns] = [rows + top + bottom, columns + left + right];
  const pixels = tensor([1, 3, fullRows, fullColumns]);
  pixels.data.fill(GREY / 255);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < rows; y++) {
      const into = (c * fullRows + top + y) * fullColumns + left;
      for (let x = 0; x < columns; x++) pixels.data[into + x] = data[(y * columns + x) * 3 + c]! / 255;
    }
  }
  const gain = Math.min(fullRows / picture.height, fullColumns / picture.width);
  const padding = (whole: number, extent: number) =>
    roundHalfEven((whole - roundHalfEven(extent * gain)) / 2 - 0.1);
  return { pixels, gain, top: padding(fullRows, picture.height), left: padding(fullColumns, picture.width) };
}

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

interface Candidate {
  /** In the network's input. */
  readonly own: Box;
  /** Apart from those of other kinds. */
  readonly box: Box;
  readonly score: number;
  readonly kind: number;
  readonly level: number;
  readonly place: number;
}

export interface YoloObject {
  /** In the picture's pixels, within it. */
  readonly box: Box;
  readonly confidence: number;
  readonly kind: number;
  /** Of a network that outlines: 0 and 1 over its whole input, 1×H×W. */
  readonly mask?: Tensor;
}

/** What outputs show of a picture, the surest first. */
export function yoloObjects(
  outputs: NamedTensors,
  head: YoloHead,
  input: Letterbox,
  picture: BytePicture,
  threshold: number,
): YoloObject[] {
  const candidates = head.strides.flatMap((stride, level) =>
    levelCandidates(outputs, head, { stride, level, threshold }),
  );
  const sorted = candidates.sort((a, b) => b.score - a.score).slice(0, MOST_COMPARED);
  const kept = withoutOverlaps(sorted, OVERLAP).slice(0, MOST_FOUND);
  return kept.flatMap((candidate) => {
    const found = {
      box: inPicture(candidate.own, input, picture),
      confidence: candidate.score,
      kind: candidate.kind,
    };
    if (head.masks === 0) return [found];
    const mask = outlined(outputs, head, candidate, input);
    return mask.data.some((value) => value > 0) ? [{ ...found, mask }] : [];
  });
}

function levelCandidates(
  outputs: NamedTensors,
  { bins, classes }: YoloHead,
  {
    stride,
    level,
    threshold,
  }: { readonly stride: number; readonly level: number; readonly threshold: number },
): Candidate[] {
  const { data: boxes, shape } = outputs[`box${level}`]!;
  const { data: scores } = outputs[`score${level}`]!;
  const [, , rows = 0, columns = 0] = shape;
  const places = rows * columns;
  const found: Candidate[] = [];
  for (let place = 0; place < places; place++) {
    let [kind, most] = [0, -Infinity];
    for (let at = 0; at < classes; at++) {
      const value = scores[at * places + place]!;
      if (value > most) [kind, most] = [at, value];
    }
    const score = fround(1 / (1 + Math.exp(-most)));
    if (!(score > threshold)) continue;
    const [x, y] = [(place % columns) + 0.5, Math.floor(place / columns) + 0.5];
    const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
      expected(boxes, side * bins, bins, places, place),
    ) as [number, number, number, number];
    const [x1, y1, x2, y2] = [fround(x - left), fround(y - top), fround(x + right), fround(y + bottom)];
    // By way of the middle and the extent, as there.
    const [middleX, middleY] = [fround((x1 + x2) / 2) * stride, fround((y1 + y2) / 2) * stride];
    const [halfWidth, halfHeight] = [fround((x2 - x1) * stride) / 2, fround((y2 - y1) * stride) / 2];
    const own: Box = [
      fround(middleX - halfWidth),
      fround(middleY - halfHeight),
      fround(middleX + halfWidth),
      fround(middleY + halfHeight),
    ];
    const box = own.map((edge) => fround(edge + kind * APART)) as unknown as Box;
    found.push({ own, box, score, kind, level, place });
  }
  return found;
}

/** The mean of 0, 1, 2 … by how likely each is (DFL). */
function expected(
  values: ArrayLike<number>,
  from: number,
  bins: number,
  places: number,
  place: number,
): number {
  let most = -Infinity;
  for (let bin = 0; bin < bins; bin++) most = Math.max(most, values[(from + bin) * places + place]!);
  let [sum, weighed] = [0, 0];
  for (let bin = 0; bin < bins; bin++) {
    const share = Math.exp(values[(from + bin) * places + place]! - most);
    sum += share;
    weighed += share * bin;
  }
  return fround(weighed / sum);
}

function inPicture(box: Box, { top, left, gain }: Letterbox, { height, width }: BytePicture): Box {
  return box.map((edge, at) => {
    const [before, extent] = at % 2 === 0 ? [left, width] : [top, height];
    return Math.min(Math.max(fround(fround(edge - before) / fround(gain)), 0), extent);
  }) as unknown as Box;
}

/** `process_mask`: a mixture of the network's pictures, cut to the box, enlarged to the input's size. */
function outlined(
  outputs: NamedTensors,
  { masks }: YoloHead,
  { own, level, place }: Candidate,
  { pixels }: Letterbox,
): Tensor {
  const { data: protos, shape } = outputs['protos']!;
  const { data: shares, shape: levelShape } = outputs[`mask${level}`]!;
  const [, , rows = 0, columns = 0] = shape;
  const [, , height = 0, width = 0] = pixels.shape;
  const places = levelShape[2]! * levelShape[3]!;
  const scales = [columns / width, rows / height];
  const [x1, y1, x2, y2] = own.map((edge, at) =>
    roundHalfEven(Math.max(fround(edge * fround(scales[at % 2]!)), 0)),
  ) as [number, number, number, number];
  const small = tensor([1, 1, rows, columns]);
  for (let y = y1; y < Math.min(y2, rows); y++) {
    for (let x = x1; x < Math.min(x2, columns); x++) {
      let sum = 0;
      for (let at = 0; at < masks; at++) {
        sum += shares[at * places + place]! * protos[(at * rows + y) * columns + x]!;
      }
      small.data[y * columns + x] = sum;
    }
  }
  const large = upscaleLatent(small, 'bilinear', { height, width });
  return tensor(
    [1, height, width],
    large.data.map((value) => (value > 0 ? 1 : 0)),
  );
}
