/** A picture as Qwen2.5-VL's tower takes it: patches in windows (ComfyUI comfy/text_encoders/qwen_vl.py, process_qwen2vl_images and get_window_index). */
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { upscaleImage } from '../../../imaging/upscale.js';

export const patchSide = 14;
/** Patches along a side of what becomes one token, and of a window. */
const mergedSide = 2;
const windowSide = 8;
export const windowPatches = windowSide * windowSide;
/** Values of a patch: two equal frames of three channels. */
export const patchValues = 3 * 2 * patchSide * patchSide;
const tokenPixels = patchSide * mergedSide;
const fewestPixels = 3136;
const mostPixels = 12_845_056;

const mean = [0.48145466, 0.4578275, 0.40821073];
const deviation = [0.26862954, 0.26130258, 0.27577711];

export interface PatchWindows {
  /** W×64×1176, window by window, with room left at the edges. */
  readonly patches: Tensor;
  /** Of each place in the windows: its patch's row and column, or −1 where there is none. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** Tokens that the picture becomes, down and across. */
  readonly down: number;
  readonly across: number;
}

/** Patches of the first of N×H×W×3 in [0, 1], whose sides become multiples of 28 pixels. */
export function patchWindows(pictures: Tensor): PatchWindows {
  const [, height = 0, width = 0, channels = 3] = pictures.shape;
  const first = tensor([1, height, width, channels], pictures.data.slice(0, height * width * channels));
  const [tall, wide] = fittedSides(height, width);
  const picture =
    tall === height && wide === width
      ? first
      : upscaleImage(first, 'bilinear', { width: wide, height: tall, crop: 'disabled' });
  const [down, across] = [tall / tokenPixels, wide / tokenPixels];
  const merged = windowSide / mergedSide;
  const [windowsDown, windowsAcross] = [Math.ceil(down / merged), Math.ceil(across / merged)];
  const places = windowsDown * windowsAcross * windowPatches;
  const rows = new Int32Array(places).fill(-1);
  const columns = new Int32Array(places).fill(-1);
  const patches = tensor([windowsDown * windowsAcross, windowPatches, patchValues]);
  for (let place = 0; place < places; place++) {
    const window = Math.floor(place / windowPatches);
    const token = Math.floor((place % windowPatches) / mergedSide ** 2);
    const part = place % mergedSide ** 2;
    const tokenRow = Math.floor(window / windowsAcross) * merged + Math.floor(token / merged);
    const tokenColumn = (window % windowsAcross) * merged + (token % merged);
    if (tokenRow >= down || tokenColumn >= across) continue;
    rows[place] = tokenRow * mergedSide + Math.floor(part / mergedSide);
    columns[place] = tokenColumn * mergedSide + (part % mergedSide);
    writePatch(picture, rows[place]!, columns[place]!, patches.data.subarray(place * patchValues));
  }
  return { patches, rows, columns, down, across };
}

/** Python's rounding of both sides to multiples, within limits of the area. */
function fittedSides(height: number, width: number): readonly [number, number] {
  const round = (side: number) => pythonRound(side / tokenPixels) * tokenPixels;
  const [tall, wide] = [round(height), round(width)];
  if (tall * wide > mostPixels) {
    const shrink = Math.sqrt((height * width) / mostPixels);
    const floor = (side: number) =>
      Math.max(tokenPixels, Math.floor(side / shrink / tokenPixels) * tokenPixels);
    return [floor(height), floor(width)];
  }
  if (tall * wide < fewestPixels) {
    const grow = Math.sqrt(fewestPixels / (height * width));
    const ceil = (side: number) => Math.ceil((side * grow) / tokenPixels) * tokenPixels;
    return [ceil(height), ceil(width)];
  }
  return [tall, wide];
}

/** Halves go to the even neighbour. */
function pythonRound(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Channel by channel, each twice: the two frames that a picture stands for. */
function writePatch(picture: Tensor, row: number, column: number, into: Float32Array): void {
  const [, , width = 0, channels = 3] = picture.shape;
  const area = patchSide * patchSide;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < patchSide; y++) {
      for (let x = 0; x < patchSide; x++) {
        const pixel = (row * patchSide + y) * width + column * patchSide + x;
        const value = picture.data[pixel * channels + channel]!;
        const normal = Math.fround(value - Math.fround(mean[channel]!)) / Math.fround(deviation[channel]!);
        const at = channel * 2 * area + y * patchSide + x;
        into[at] = normal;
        into[at + area] = normal;
      }
    }
  }
}
