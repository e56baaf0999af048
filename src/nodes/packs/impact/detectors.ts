/** Detectors made of networks (modules/subcore.py of ComfyUI-Impact-Subpack; modules/impact/core.py and onnx.py of ComfyUI-Impact-Pack). */
import {
  dilateBySquare,
  mapValues,
  tensor,
  toPicture,
  upscaleLatent,
  type BytePicture,
  type ForeignModel,
  type FoundObject,
  type Image,
  type Mask,
  type ObjectDetector,
  type SegmentationModel,
} from '../../public.js';
import type { SegmentAnything } from './sam.js';
import {
  combinedMask,
  partOf,
  regionAround,
  type DetectOptions,
  type Detector,
  type PartBox,
  type Seg,
} from './segs.js';

/** What was found, with a mask over the whole picture. */
interface Whole {
  readonly found: FoundObject;
  readonly mask: Mask;
}

const masked = {
  /** The box with both of its edges, as OpenCV fills it. */
  boxes({ found, height, width }: Finding): Mask {
    const [x1, y1, x2, y2] = found.box.map(Math.trunc) as unknown as PartBox;
    const mask = tensor([1, height, width]);
    for (let y = y1; y <= Math.min(y2, height - 1); y++) {
      mask.data.fill(1, y * width + x1, y * width + Math.min(x2, width - 1) + 1);
    }
    return mask;
  },
  outlines({ found, height, width }: Finding): Mask {
    const own = found.mask;
    if (own === undefined) throw new RangeError('the model finds boxes alone, it outlines nothing');
    const [, rows = 0, columns = 0] = own.shape;
    const [down, across] = frame(rows, columns, height, width);
    const [innerRows, innerColumns] = [rows - 2 * down, columns - 2 * across];
    const inner = tensor([1, 1, innerRows, innerColumns]);
    for (let y = 0; y < innerRows; y++) {
      const start = (y + down) * columns + across;
      inner.data.set(own.data.subarray(start, start + innerColumns), y * innerColumns);
    }
    // The mask is of bytes there: torch goes along the rows, rounds, then along the columns, and rounds again.
    const wide = mapValues(upscaleLatent(inner, 'bilinear', { height: innerRows, width }), Math.round);
    const whole = mapValues(upscaleLatent(wide, 'bilinear', { height, width }), Math.round);
    return tensor([1, height, width], whole.data);
  },
};

interface Finding {
  readonly found: FoundObject;
  readonly height: number;
  readonly width: number;
}

/** Rows and columns of the network's input that the pack takes for its grey frame, on either side (inference_segm). */
function frame(rows: number, columns: number, height: number, width: number): readonly [number, number] {
  const [own, wanted] = [rows / columns, height / width];
  if (own === wanted) return [0, 0];
  if (own > wanted) return [Math.trunc((own - wanted) * rows), 0];
  return [0, Math.trunc((columns / rows - width / height) * columns)];
}

/** What a YOLO network finds: as boxes, or with the outlines that it gives them. */
export function yoloDetector(model: ObjectDetector, kind: keyof typeof masked): Detector {
  async function wholeMasks(image: Image, threshold: number, dilation: number): Promise<readonly Whole[]> {
    const [, height = 0, width = 0] = image.shape;
    const all = await model.find(toPicture(image, 0), threshold);
    return all.map((found) => {
      const mask = masked[kind]({ found, height, width });
      return { found, mask: dilation > 0 ? dilateBySquare(mask, dilation) : mask };
    });
  }
  return {
    async detect(image, options) {
      const [, height = 0, width = 0] = image.shape;
      const all = await wholeMasks(image, options.threshold, options.dilation);
      return { height, width, items: all.flatMap((each) => partFound(image, each, options)) };
    },
    async detectCombined(image, threshold, dilation) {
      const [first, ...rest] = await wholeMasks(image, threshold, dilation);
      return first && rest.reduce((sum, { mask }) => bitsOfEither(sum, mask), first.mask);
    },
  };
}

function partFound(image: Image, { found, mask }: Whole, { cropFactor, dropSize }: DetectOptions): Seg[] {
  const [, height = 0, width = 0] = image.shape;
  const { box, confidence, label } = found;
  const least = Math.max(dropSize, 1);
  if (!(box[2] - box[0] > least && box[3] - box[1] > least)) return [];
  const region = regionAround(width, height, box, cropFactor);
  return [{ image: partOf(image, region), mask: partOf(mask, region), confidence, region, box, label }];
}

/** OpenCV's bitwise_or of floats: of the bits that they are made of. */
function bitsOfEither(a: Mask, b: Mask): Mask {
  const data = a.data.slice();
  const [bits, others] = [data, b.data.slice()].map(({ buffer }) => new Uint32Array(buffer)) as [
    Uint32Array,
    Uint32Array,
  ];
  others.forEach((value, at) => (bits[at]! |= value));
  return tensor(a.shape, data);
}

/** Blue, green, red: what keras's detectors take away. */
const CAFFE_MEANS = [103.939, 116.779, 123.68] as const;

/** A detector in ONNX's format, as keras-retinanet writes them: whole numbers that end with −1, scores, and boxes. */
export function onnxDetector(model: ForeignModel): Detector {
  const detect: Detector['detect'] = async (image, { threshold, dilation, cropFactor, dropSize }) => {
    const [, height = 0, width = 0] = image.shape;
    const outputs = await model.run(caffeInput(toPicture(image, 0)));
    const labels = outputs.find(({ isWhole }) => isWhole);
    const scores = outputs.find(({ isWhole, shape }) => !isWhole && shape.length === 2);
    const boxes = outputs.find(({ shape }) => shape.length === 3 && shape[2] === 4);
    if (labels === undefined || scores === undefined || boxes === undefined) {
      throw new RangeError(
        `${model.path} gives no labels (int32), scores (1×N) and boxes (1×N×4): it is no detector that Impact Pack can use`,
      );
    }
    const end = labels.data.indexOf(-1);
    const count = end < 0 ? labels.data.length : end;
    const least = Math.max(dropSize, 1);
    const items = Array.from({ length: count }, (_, at) => at).flatMap((at): Seg[] => {
      const confidence = scores.data[at]!;
      const box = [0, 1, 2, 3].map((edge) => Math.trunc(boxes.data[at * 4 + edge]!)) as unknown as PartBox;
      const fits = box[2] - box[0] > least && box[3] - box[1] > least;
      if (!(confidence > threshold) || !fits) return [];
      const region = regionAround(width, height, box, cropFactor);
      const mask = dilateBySquare(filledBox(box, region), dilation);
      return [{ mask, confidence, region, box, label: String(labels.data[at]!) }];
    });
    return { height, width, items };
  };
  return {
    detect,
    async detectCombined(image, threshold, dilation) {
      return combinedMask(await detect(image, { threshold, dilation, cropFactor: 1, dropSize: 1 }));
    },
  };
}

function filledBox(box: PartBox, [left, top, right, bottom]: PartBox): Mask {
  const [height, width] = [bottom - top, right - left];
  const mask = tensor([1, height, width]);
  for (let y = Math.max(box[1] - top, 0); y < Math.min(box[3] - top, height); y++) {
    const [from, to] = [Math.max(box[0] - left, 0), Math.min(box[2] - left, width)];
    mask.data.fill(1, y * width + from, y * width + Math.max(to, from));
  }
  return mask;
}

/** 1×H×W×3: blue, green, red without their means. */
function caffeInput({ data, width, height, channels }: BytePicture) {
  const x = tensor([1, height, width, 3]);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < 3; c++) {
      x.data[pixel * 3 + c] = data[pixel * channels + 2 - c]! - CAFFE_MEANS[c]!;
    }
  }
  return x;
}

/** SAM's network as what the pack's nodes ask. */
export function segmentAnything(model: SegmentationModel): SegmentAnything {
  return {
    async look(image) {
      const ask = await model.look(toPicture(image, 0));
      return (hints, box) => ask(hints, box);
    },
  };
}
