import { concatRows, sameRows, upscaleImage, type Image } from '../../public.js';

/** Images in one batch, cut and scaled to the size of the first. */
export function fittedBatch([first, ...others]: readonly Image[]): Image {
  if (first === undefined) throw new RangeError('a batch needs one image at least');
  const [, height = 0, width = 0] = first.shape;
  const fit = (image: Image) =>
    sameRows(image, first) ? image : upscaleImage(image, 'lanczos', { width, height, crop: 'center' });
  return others.reduce((batch, image) => concatRows(batch, fit(image)), first);
}
