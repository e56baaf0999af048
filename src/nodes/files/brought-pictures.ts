/** Pictures that a workflow brings along, as data or by their addresses. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { decodePicture } from '../../imaging/pictures/decode.js';
import { PictureError, type Frame } from '../../imaging/pictures/frame.js';
import { shorten } from '../../safe-text.js';
import type { RunContext } from '../context.js';

/** A picture, upright unless it was asked for as it lies. */
export interface DecodedPicture {
  /** 1×H×W×3. */
  readonly image: Tensor;
  /** 1×H×W, 1 where it is opaque; undefined where the file has no channel of it. */
  readonly alpha: Tensor | undefined;
}

const DATA = /^data:[^,]*,/;

/** Whether a text is the data of a file, or an address to fetch one from. */
export function isGiven(text: string): boolean {
  return DATA.test(text) || /^https?:\/\//i.test(text);
}

/** The bytes of a `data:` text, or of a file at an address of http or https. Rejects with an error that says what is wrong. */
export async function givenBytes(
  text: string,
  { fetchFile, signal }: Pick<RunContext, 'fetchFile' | 'signal'>,
): Promise<Buffer> {
  if (DATA.test(text)) return base64Bytes(text);
  if (fetchFile === undefined) {
    throw new PictureError(
      `${JSON.stringify(shorten(text, 120))} is an address, and nothing is fetched here; --allow-urls (LATENTD_ALLOW_URLS) lets workflows ask for pictures of public hosts`,
    );
  }
  return fetchFile(text, { signal });
}

/** Bytes written in base64, behind a `data:` or not. What belongs to no base64 is passed over, as Python does. */
export function base64Bytes(text: string): Buffer {
  return Buffer.from(text.replace(DATA, ''), 'base64');
}

/** The first picture in a file. Rejects with `PictureError`. `lying` leaves a JPEG as it lies, whatever its EXIF says. */
export async function pictureOf(
  bytes: Buffer,
  { signal }: Pick<RunContext, 'signal'>,
  { lying = false }: { readonly lying?: boolean } = {},
): Promise<DecodedPicture> {
  const [frame] = await decodePicture(lying ? withoutExif(bytes) : bytes, signal);
  if (frame === undefined) throw new PictureError('it holds no picture');
  const { width, height, rgba } = frame;
  const whole = rgba instanceof Uint8Array ? 255 : 1;
  const image = tensor([1, height, width, 3]);
  const alpha = hasAlphaChannel(bytes, frame) ? tensor([1, height, width]) : undefined;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[pixel * 3 + channel] = rgba[pixel * 4 + channel]! / whole;
    }
    if (alpha !== undefined) alpha.data[pixel] = rgba[pixel * 4 + 3]! / whole;
  }
  return { image, alpha };
}

/** Red, green, blue and alpha, 1×H×W×4, of a picture and its alpha. */
export function withAlpha({ shape, data }: Tensor, alpha: Tensor): Tensor {
  const [, height = 0, width = 0] = shape;
  const result = tensor([1, height, width, 4]);
  for (let pixel = 0; pixel < height * width; pixel++) {
    result.data.set(data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    result.data[pixel * 4 + 3] = alpha.data[pixel]!;
  }
  return result;
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/** What Pillow calls a band: transparent colours of a palette, or a transparent colour, are none. */
function hasAlphaChannel(bytes: Buffer, { alpha }: Frame): boolean {
  if (alpha !== 'channel' || bytes.subarray(0, 3).toString('latin1') === 'GIF') return false;
  const colourType = bytes.subarray(0, 4).equals(PNG) ? bytes[25] : undefined;
  return colourType === undefined || colourType === 4 || colourType === 6;
}

/** A JPEG whose EXIF nobody finds. */
function withoutExif(bytes: Buffer): Buffer {
  const at = bytes[0] === 0xff && bytes[1] === 0xd8 ? bytes.indexOf('Exif\0\0', 0, 'latin1') : -1;
  if (at === -1) return bytes;
  const copy = Buffer.from(bytes);
  copy.write('none', at, 'latin1');
  return copy;
}
