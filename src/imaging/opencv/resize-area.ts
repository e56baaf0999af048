/** OpenCV's `resize` with INTER_AREA, of 8-bit pictures made smaller (modules/imgproc/src/resize.cpp). */
import type { BytePicture } from '../bytes.js';
import { roundHalfEven } from '../rounding.js';

const { fround } = Math;

/** A share of a source row (or column) in one of the result. */
interface Share {
  readonly into: number;
  readonly from: number;
  readonly weight: number;
}

/** computeResizeAreaTab. */
function sharesOf(extent: number, result: number): readonly Share[] {
  const scale = extent / result;
  const shares: Share[] = [];
  for (let into = 0; into < result; into++) {
    const start = into * scale;
    const end = start + scale;
    const width = Math.min(scale, extent - start);
    const last = Math.min(Math.floor(end), extent - 1);
    const first = Math.min(Math.ceil(start), last);
    if (first - start > 1e-3) shares.push({ into, from: first - 1, weight: fround((first - start) / width) });
    for (let from = first; from < last; from++) shares.push({ into, from, weight: fround(1 / width) });
    if (end - last > 1e-3) {
      shares.push({ into, from: last, weight: fround(Math.min(end - last, 1, width) / width) });
    }
  }
  return shares;
}

/** Both sides become shorter or stay. */
export function shrinkArea(picture: BytePicture, height: number, width: number): BytePicture {
  const [down, across] = [picture.height / height, picture.width / width];
  const whole = Number.isInteger(down) && Number.isInteger(across);
  const data = whole ? meansOf(picture, height, width) : sharedMeans(picture, height, width);
  return { width, height, channels: picture.channels, data };
}

/** ResizeAreaFast: whole pixels; squares of 2 round halves up. */
function meansOf(picture: BytePicture, height: number, width: number): Uint8Array {
  const { data, channels } = picture;
  const [down, across] = [picture.height / height, picture.width / width];
  const share = fround(1 / (down * across));
  const isPair = down === 2 && across === 2 && channels !== 2;
  const result = new Uint8Array(height * width * channels);
  const line = picture.width * channels;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let dy = 0; dy < down; dy++) {
          const at = (y * down + dy) * line + x * across * channels + c;
          for (let dx = 0; dx < across; dx++) sum += data[at + dx * channels]!;
        }
        result[(y * width + x) * channels + c] = isPair ? (sum + 2) >> 2 : roundHalfEven(fround(sum * share));
      }
    }
  }
  return result;
}

function sharedMeans(picture: BytePicture, height: number, width: number): Uint8Array {
  const { data, channels } = picture;
  const columns = sharesOf(picture.width, width);
  const rows = sharesOf(picture.height, height);
  const result = new Uint8Array(height * width * channels);
  const length = width * channels;
  const [row, sum] = [new Float32Array(length), new Float32Array(length)];
  for (const [index, { into, from, weight }] of rows.entries()) {
    row.fill(0);
    for (const share of columns) {
      const at = (from * picture.width + share.from) * channels;
      const place = share.into * channels;
      for (let c = 0; c < channels; c++) {
        row[place + c] = row[place + c]! + fround(data[at + c]! * share.weight);
      }
    }
    const starts = index === 0 || rows[index - 1]!.into !== into;
    for (let i = 0; i < length; i++) {
      const part = fround(weight * row[i]!);
      sum[i] = starts ? part : sum[i]! + part;
    }
    if (index + 1 === rows.length || rows[index + 1]!.into !== into) {
      for (let i = 0; i < length; i++) result[into * length + i] = byte(roundHalfEven(sum[i]!));
    }
  }
  return result;
}

function byte(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}
