/** What stands before a background (ComfyUI_essentials image.py, rembg). */
import { tensor } from '../../../compute/tensor.js';
import {
  BACKGROUND_MODELS,
  cutOut,
  openBackgroundRemover,
  type BackgroundModelName,
  type BackgroundRemover,
} from '../../../models/background/remove-background.js';
import { combo, defineNode, link, type CustomType } from '../../public.js';

const REMBG_SESSION = 'REMBG_SESSION' as CustomType<BackgroundRemover>;

const category = 'essentials/image manipulation';

export const remBgSession = defineNode({
  name: 'RemBGSession+',
  displayName: '🔧 RemBG Session',
  category,
  description: 'A model that tells what stands before a background, of models/rembg.',
  required: {
    model: combo([
      'u2net: general purpose',
      'u2netp: lightweight general purpose',
      'u2net_human_seg: human segmentation',
      'u2net_cloth_seg: cloths Parsing',
      'silueta: very small u2net',
      'isnet-general-use: general purpose',
      'isnet-anime: anime illustrations',
      'sam: general purpose',
    ]),
    providers: combo(['CPU', 'CUDA', 'ROCM', 'DirectML', 'OpenVINO', 'CoreML', 'Tensorrt', 'Azure'], {
      tooltip: 'The CPU runs it in any case.',
    }),
  },
  optional: {},
  outputs: [{ type: REMBG_SESSION, name: 'REMBG_SESSION' }],
  run({ model }, context) {
    const [name] = model.split(':') as [string];
    if (!isKnown(name)) throw new RangeError(`${name} isn't there; ${BACKGROUND_MODELS.join(', ')} are`);
    return { outputs: [openBackgroundRemover(context, name)] };
  },
});

function isKnown(name: string): name is BackgroundModelName {
  return BACKGROUND_MODELS.some((known) => known === name);
}

export const imageRemoveBackground = defineNode({
  name: 'ImageRemoveBackground+',
  displayName: '🔧 Image Remove Background',
  category,
  description: 'Makes the background of images transparent.',
  required: { rembg_session: link(REMBG_SESSION), image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  async run({ rembg_session, image }, { signal, progress }) {
    const [count = 0, height = 0, width = 0] = image.shape;
    const cut = tensor([count, height, width, 4]);
    const mask = tensor([count, height, width]);
    for (let row = 0; row < count; row++) {
      const { data } = cutOut(image, row, await rembg_session.maskOf(image, row, { signal }));
      const start = row * height * width;
      data.forEach((value, at) => (cut.data[4 * start + at] = value / 255));
      for (let pixel = 0; pixel < height * width; pixel++) {
        mask.data[start + pixel] = cut.data[4 * (start + pixel) + 3]!;
      }
      progress({ step: row + 1, totalSteps: count });
    }
    return { outputs: [cut, mask] };
  },
});
