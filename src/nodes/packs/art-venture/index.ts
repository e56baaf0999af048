/** comfyui-art-venture (sipherxyz): pictures by address, as data, or out of the folders. */
import { readFile } from 'node:fs/promises';
import {
  boolean,
  combo,
  concatRows,
  defineNode,
  fileStamp,
  givenBytes,
  mapValues,
  isGiven,
  pictureOf,
  sameRows,
  saveImages,
  string,
  tensor,
  withAlpha,
  type DecodedPicture,
  type RunContext,
  type Tensor,
} from '../../public.js';

const image = string({ multiline: true });
const outputMode = boolean({ default: false, tooltip: 'Whether a list is given; else one batch.' });

/** Lines of addresses, of which empty ones are passed over. */
const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '');

/** The name of a file as LoadImage takes it, out of one or an address of ComfyUI's own `/view`. */
function fileName(line: string): string {
  const query = /^\/(?:api\/)?view\?(.*)$/s.exec(line)?.[1];
  if (query === undefined) return line.replace(/^file:\/\//, '');
  const given = new URLSearchParams(query);
  const name = given.get('name') ?? given.get('filename') ?? '';
  const subfolder = given.get('subfolder') ?? '';
  return `${subfolder === '' ? '' : `${subfolder}/`}${name} [${given.get('type') ?? 'input'}]`;
}

async function picturesOf(text: string, context: RunContext): Promise<DecodedPicture[]> {
  const pictures: DecodedPicture[] = [];
  for (const line of linesOf(text)) {
    context.signal.throwIfAborted();
    const bytes = isGiven(line)
      ? await givenBytes(line, context)
      : await readFile(context.folders.resolveInput(fileName(line)));
    pictures.push(await pictureOf(bytes, context));
  }
  return pictures;
}

/** Changes with the files that are named; what an address gives is asked for once. */
function fingerprint(
  { image: text = '' }: { readonly image?: string },
  folders: RunContext['folders'],
): string {
  return linesOf(text)
    .map((line) => (isGiven(line) ? line.length : fileStamp(folders.resolveInput(fileName(line)))))
    .join(' ');
}

/** One batch in a list. Throws for pictures of several sizes. */
function batched(values: readonly Tensor[]): Tensor[] {
  const [first, ...others] = values;
  if (first === undefined) throw new RangeError('no picture is named');
  if (others.some((other) => !sameRows(first, other))) {
    throw new RangeError('To output as batch, images must have the same size. Use list output mode instead.');
  }
  return [others.reduce(concatRows, first)];
}

const NO_MASK = () => tensor([1, 64, 64]);

export const loadImageFromUrl = defineNode({
  name: 'LoadImageFromUrl',
  displayName: 'Load Image From URL',
  category: 'ArtVenture/Image',
  description:
    'Pictures, one a line: data:image/…, files as LoadImage names them, and, where latentd may fetch them (--allow-urls), addresses of http and https.',
  required: { image },
  optional: {
    keep_alpha_channel: boolean({ default: false }),
    output_mode: outputMode,
  },
  outputs: [
    { type: 'IMAGE', name: 'images', isList: true },
    { type: 'MASK', name: 'masks', isList: true },
    { type: 'BOOLEAN', name: 'has_image' },
  ],
  fingerprint,
  async run({ image: text, keep_alpha_channel = false, output_mode = false }, context) {
    const pictures = await picturesOf(text, context);
    // A black picture, of whose black mask the opposite is given.
    if (pictures.length === 0) {
      const mask = mapValues(NO_MASK(), () => 1);
      return { outputs: [[tensor([1, 64, 64, 3])], [mask], false] };
    }
    const images = pictures.map((picture) =>
      keep_alpha_channel && picture.alpha !== undefined
        ? withAlpha(picture.image, picture.alpha)
        : picture.image,
    );
    const masks = pictures.map(({ alpha }) =>
      alpha === undefined ? NO_MASK() : mapValues(alpha, (value) => 1 - value),
    );
    const saving = { type: 'temp', prefix: 'TempImageFromUrl', compressionLevel: 4 } as const;
    const shown: Awaited<ReturnType<typeof saveImages>> = [];
    for (const each of images) shown.push(...(await saveImages(each, saving, context)));
    const [givenImages, givenMasks] = output_mode ? [images, masks] : [batched(images), batched(masks)];
    return { outputs: [givenImages, givenMasks, true], ui: { images: shown } };
  },
});

const CHANNELS = ['red', 'green', 'blue'] as const;

export const loadImageAsMaskFromUrl = defineNode({
  name: 'LoadImageAsMaskFromUrl',
  displayName: 'Load Image (as Mask) From URL',
  category: 'ArtVenture/Image',
  description: 'A channel of pictures that are named as LoadImageFromUrl has them; alpha is turned around.',
  required: { image, channel: combo(['alpha', ...CHANNELS]) },
  optional: { output_mode: outputMode },
  outputs: [{ type: 'MASK', name: 'masks', isList: true }],
  fingerprint,
  async run({ image: text, channel, output_mode = false }, context) {
    const masks = (await picturesOf(text, context)).map(({ image: { shape, data }, alpha }) => {
      if (channel === 'alpha')
        return alpha === undefined ? NO_MASK() : mapValues(alpha, (value) => 1 - value);
      const [, height = 0, width = 0] = shape;
      const at = CHANNELS.indexOf(channel);
      return tensor(
        [1, height, width],
        Float32Array.from({ length: height * width }, (_, pixel) => data[pixel * 3 + at]!),
      );
    });
    return { outputs: [output_mode ? masks : batched(masks)] };
  },
});
