/** Enlarging and restoring pictures that are there already (modules/postprocessing.py, run_extras). */
import { WorkflowWriter, type Link } from '../workflow-writer.js';
import { baseName, type ModelListing } from './house.js';
import { HttpFault } from './fault.js';
import type { KnownOptions } from './options.js';
import type { ExtrasRequest } from './request.js';
import { restoreFaces } from './sampling-nodes.js';
import { PLAIN_UPSCALERS, resizeMethod, upscaleWith } from './upscalers.js';

/** The workflow for pictures that Load Image finds by these names, and which node shows each. */
export function extras(
  request: ExtrasRequest,
  images: readonly string[],
  options: KnownOptions,
  listing: ModelListing,
): { readonly workflow: string; readonly nodes: readonly string[] } {
  const writer = new WorkflowWriter();
  const nodes = images.map((name) => {
    const image = writer.add('LoadImage', { image: name });
    const steps = [
      (each: Link) => upscaled(writer, each, request, listing),
      (each: Link) => restored(writer, each, request, options, listing),
    ];
    const ordered = request.upscale_first ? steps : steps.toReversed();
    const done = ordered.reduce((each, step) => step(each), image);
    return writer.node('PreviewImage', { images: done });
  });
  return { workflow: writer.text(), nodes };
}

function upscaled(writer: WorkflowWriter, image: Link, request: ExtrasRequest, listing: ModelListing): Link {
  const { upscaler_1: first, upscaler_2: second, extras_upscaler_2_visibility: share } = request;
  if (first === 'None' && (second === 'None' || share === 0)) return image;
  const main = sized(writer, image, upscaleWith(writer, image, first, listing), first, request, listing);
  if (second === 'None' || share === 0) return main;
  const other = sized(writer, image, upscaleWith(writer, image, second, listing), second, request, listing);
  return writer.add('ImageBlend', { image1: main, image2: other, blend_factor: share, blend_mode: 'normal' });
}

/** Upscalers enlarge by factors of their own; what is asked for is reckoned from the picture as it came. */
function sized(
  writer: WorkflowWriter,
  image: Link,
  enlarged: Link,
  upscaler: string,
  request: ExtrasRequest,
  listing: ModelListing,
): Link {
  const upscale_method = resizeMethod(upscaler);
  if (request.resize_mode === 1) {
    return writer.add('ImageScale', {
      image: enlarged,
      upscale_method,
      width: request.upscaling_resize_w,
      height: request.upscaling_resize_h,
      crop: request.upscaling_crop ? 'center' : 'disabled',
    });
  }
  const isPlain = (PLAIN_UPSCALERS as readonly string[]).includes(upscaler);
  if (isPlain) {
    return writer.add('ImageScaleBy', { image, upscale_method, scale_by: request.upscaling_resize });
  }
  // How much a network enlarges is known once it is loaded: its picture is brought to the size of one that is enlarged plainly.
  const plain = writer.add('ImageScaleBy', {
    image,
    upscale_method: 'nearest-exact',
    scale_by: request.upscaling_resize,
  });
  const size = writer.node('GetImageSize', { image: plain });
  if (listing.list('upscale_models').length === 0) throw new HttpFault(422, 'there are no upscalers here');
  return writer.add('ImageScale', {
    image: enlarged,
    upscale_method,
    width: [size, 0],
    height: [size, 1],
    crop: 'disabled',
  });
}

function restored(
  writer: WorkflowWriter,
  image: Link,
  request: ExtrasRequest,
  options: KnownOptions,
  listing: ModelListing,
): Link {
  const { gfpgan_visibility: gfpgan, codeformer_visibility: codeformer } = request;
  const with_ = (name: string, share: number, under: Link) => {
    if (share === 0) return under;
    const code_former_weight = request.codeformer_weight;
    const face = restoreFaces(
      writer,
      under,
      { ...options, face_restoration_model: name, code_former_weight },
      listing,
    );
    if (share === 1) return face;
    return writer.add('ImageBlend', {
      image1: under,
      image2: face,
      blend_factor: share,
      blend_mode: 'normal',
    });
  };
  return with_('CodeFormer', codeformer, with_('GFPGAN', gfpgan, image));
}

/** A1111 tells what was done in HTML; no name in it is a client's. */
export function extrasHtml(request: ExtrasRequest): string {
  const lines: readonly (readonly [string, string | number])[] = [
    ['Postprocess upscale by', request.resize_mode === 0 ? request.upscaling_resize : ''],
    ['Postprocess upscaler', request.upscaler_1 === 'None' ? '' : baseName(request.upscaler_1)],
    ['GFPGAN visibility', request.gfpgan_visibility || ''],
    ['CodeFormer visibility', request.codeformer_visibility || ''],
  ];
  const told = lines.filter(([, value]) => value !== '');
  return `<p>${told.map(([name, value]) => `${name}: ${escapeHtml(String(value))}`).join(', ')}</p>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
