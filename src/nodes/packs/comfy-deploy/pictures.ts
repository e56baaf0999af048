/** Pictures: what `input_id` or the default's address gives, else the default. */
import {
  defineNode,
  givenBytes,
  isGiven,
  link,
  pictureOf,
  string,
  withAlpha,
  type DecodedPicture,
  type RunContext,
  type Tensor,
} from '../../public.js';
import { inputId, named, shown } from './shared.js';

/** The first picture that can be had. */
async function firstOf(
  addresses: readonly string[],
  context: RunContext,
): Promise<DecodedPicture | undefined> {
  for (const address of addresses.filter(isGiven)) {
    try {
      return await pictureOf(await givenBytes(address, context), context);
    } catch (error) {
      context.signal.throwIfAborted();
      context.warn(error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}

function orFail(image: Tensor | undefined): Tensor {
  if (image !== undefined) return image;
  throw new TypeError(
    'there is no image: link default_value, or give input_id the address or the data of one',
  );
}

export const externalImage = defineNode({
  ...named('Image', 'Image', 'An image: of an address or of data in base64, else the default.'),
  required: { input_id: inputId('input_image') },
  optional: {
    default_value: link('IMAGE'),
    display_name: shown.display_name,
    description: string({ multiline: false }),
    default_value_url: string(),
  },
  outputs: [{ type: 'IMAGE', name: 'image' }],
  async run({ input_id, default_value, default_value_url = '' }, context) {
    const given = await firstOf([input_id, default_value_url], context);
    return { outputs: [orFail(given?.image ?? default_value)] };
  },
});

export const externalImageAlpha = defineNode({
  ...named(
    'ImageAlpha',
    'Image Alpha',
    'An image with its alpha: of an address or of data in base64, else the default.',
  ),
  required: { input_id: inputId('input_image') },
  optional: { default_value: link('IMAGE'), ...shown },
  outputs: [{ type: 'IMAGE', name: 'image' }],
  async run({ input_id, default_value }, context) {
    const given = await firstOf([input_id], context);
    if (given === undefined) return { outputs: [orFail(default_value)] };
    return { outputs: [given.alpha === undefined ? given.image : withAlpha(given.image, given.alpha)] };
  },
});
