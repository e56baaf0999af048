/** A model that is shown pictures through an IP-Adapter (ComfyUI_IPAdapter_plus, ipadapter_execute). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatRows, mapValues, takeRows } from '../../imaging/tensor-ops.js';
import type { DiffusionModel } from '../denoiser/diffusion-model.js';
import type { ImageEncoder } from '../vision/image-encoder.js';
import { adapterPictures, type EmbedsScaling } from './adapter-pictures.js';
import { combinedRows, type EmbedsCombination } from './combine-embeds.js';
import { encodedPictures, type PictureDetail } from './encode-pictures.js';
import type { IpAdapter } from './ip-adapter.js';
import type { LayerWeighting } from './layer-weights.js';

export interface PictureDisplay {
  readonly adapter: IpAdapter;
  /** Of pictures, or their encodings: N×E or N×T×E, with the prompt and without. */
  readonly pictures:
    | {
        readonly encoder: ImageEncoder;
        readonly image: Tensor;
        readonly composition?: Tensor | undefined;
        readonly negative?: Tensor | undefined;
        readonly detail?: PictureDetail;
      }
    | {
        readonly own: Tensor;
        readonly other?: Tensor | undefined;
        readonly encoder?: ImageEncoder | undefined;
      };
  readonly weighting: LayerWeighting;
  readonly combine: EmbedsCombination;
  readonly scaling: EmbedsScaling;
  readonly mask?: Tensor | undefined;
  /** Shares of sampling between which they count. */
  readonly start: number;
  readonly end: number;
  readonly onePerPicture: boolean;
}

export async function shownPictures(model: DiffusionModel, display: PictureDisplay): Promise<DiffusionModel> {
  const { adapter, weighting, combine, scaling, mask, start, end, onePerPicture } = display;
  const encoded = await encodings(display);
  const other = sizedRows(encoded.other, encoded.own.shape[0]!);
  const isCombined = combine !== 'concat' && encoded.own.shape[0]! > 1 && !onePerPicture;
  const joined = (rows: Tensor) => (isCombined ? combinedRows(rows, combine) : rows);
  const { levels } = model.sampling;
  const pictures = adapterPictures({
    adapter,
    words: await adapter.words(joined(encoded.own)),
    otherWords: await adapter.words(isCombined ? takeRows(other, 0, 1) : other),
    compositionWords:
      encoded.composition === undefined ? undefined : await adapter.words(joined(encoded.composition)),
    weighting,
    scaling,
    mask,
    sigmas: { highest: levels.percentToSigma(start), lowest: levels.percentToSigma(end) },
    onePerPicture,
  });
  return model.withChanges([...model.changes, { kind: 'pictures', pictures }]);
}

interface Encodings {
  readonly own: Tensor;
  readonly other: Tensor;
  readonly composition?: Tensor;
}

async function encodings({ adapter, pictures }: PictureDisplay): Promise<Encodings> {
  const isWhole = adapter.kind === 'plain';
  if ('own' in pictures) {
    const { own, other, encoder } = pictures;
    return { own, other: other ?? (await nothing(own, isWhole, encoder)) };
  }
  const { encoder, image, composition, negative, detail } = pictures;
  const encode = async (each: Tensor, how?: PictureDetail) => {
    const { embeds, penultimate } = await encodedPictures(encoder, each, how);
    return isWhole ? embeds : penultimate;
  };
  const own = await encode(image, detail);
  return {
    own,
    other: negative === undefined ? await nothing(own, isWhole, encoder) : await encode(negative),
    ...(composition === undefined ? {} : { composition: await encode(composition, detail) }),
  };
}

/** What stands for no picture: zeros, or the patches of a black one. */
export async function nothing(
  own: Tensor,
  isWhole: boolean,
  encoder: ImageEncoder | undefined,
): Promise<Tensor> {
  if (isWhole) return mapValues(own, () => 0);
  if (encoder === undefined) {
    throw new RangeError(
      'a CLIP vision model is missing: link one to clip_vision, or load the IP-Adapter with IPAdapterUnifiedLoader',
    );
  }
  const { imageSize } = encoder;
  const { penultimate } = await encoder.encode(tensor([1, imageSize, imageSize, 3]), 'center');
  return penultimate;
}

/** As many rows: cut off, or the last one repeated. */
function sizedRows(source: Tensor, count: number): Tensor {
  let sized = takeRows(source, 0, Math.min(count, source.shape[0]!));
  while (sized.shape[0]! < count) sized = concatRows(sized, takeRows(source, source.shape[0]! - 1, 1));
  return sized;
}
