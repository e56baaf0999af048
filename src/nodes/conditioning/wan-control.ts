/** Films of Wan that go by other films, by pictures, or by a camera's path (ComfyUI comfy_extras/nodes_wan.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { joinedAlong } from '../../imaging/along-axis.js';
import { takeRows } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { concatChannels } from '../../imaging/latent-channels.js';
import { fromModelSpace } from '../../models/denoiser/latent-format.js';
import { wan21Latent, wan22Latent } from '../../models/denoiser/transformer-latents.js';
import { defineNode, float, link } from '../definition.js';
import type { Conditioning, ConditioningEntry, Image, Mask } from '../values.js';
import {
  atMost,
  filmInputs,
  filmOf,
  filmOutputs,
  fitted,
  frameMask,
  latentFrames,
  statesOf,
  withExtras,
  type FilmSize,
} from './wan-film.js';
import { wanFirstLastFrameToVideo } from './wan.js';

/** Latents of films, one behind the other. */
const joinFrames = (a: Tensor, b: Tensor): Tensor => joinedAlong([a, b], 2);

/** Puts the frames of `given` in the place of the film's first ones, as many as it has. */
function setFrames(film: Tensor, given: Tensor): void {
  const [rows = 1, channels = 1, frames = 1, height = 1, width = 1] = film.shape;
  const own = given.shape[2]!;
  const area = height * width;
  const kept = Math.min(own, frames) * area;
  for (let plane = 0; plane < rows * channels; plane++) {
    film.data.set(given.data.subarray(plane * own * area, plane * own * area + kept), plane * frames * area);
  }
}

/** Frames of a video as its film's, grey behind its end. */
function controlFilm(video: Image | undefined, size: FilmSize): Image {
  return filmOf(size, video && fitted(atMost(video, size.length, 'start'), size));
}

/** N×H×W, 1 where a film is to be changed; all of it behind the masks' end. */
function controlMask(masks: Mask | undefined, size: FilmSize): Mask {
  const { width, height, length } = size;
  const all = tensor([length, height, width]);
  all.data.fill(1);
  if (masks === undefined) return all;
  const given = takeRows(masks, 0, Math.min(length, masks.shape[0]!));
  const [rows = 0, own = 0, wide = 0] = given.shape;
  const planes = upscaleImage(tensor([rows, own, wide, 1], given.data), 'bilinear', {
    width,
    height,
    crop: 'center',
  });
  all.data.set(planes.data);
  return all;
}

/** The film where it stays, and where it changes; grey elsewhere. */
function parted(film: Image, mask: Mask): { readonly inactive: Image; readonly reactive: Image } {
  const part = (share: (value: number) => number): Image =>
    tensor(
      film.shape,
      film.data.map(
        (value, at) => Math.fround(Math.fround(value - 0.5) * share(mask.data[Math.floor(at / 3)]!)) + 0.5,
      ),
    );
  return { inactive: part((value) => Math.fround(1 - value)), reactive: part((value) => value) };
}

const MASK_SIDE = 8;

/** A mask of pixels as a latent has it: 1×64×frames×h×w, a channel for each of 8×8 pixels. */
function maskOfLatent(mask: Mask, frames: number): Tensor {
  const [length = 1, height = 1, width = 1] = mask.shape;
  const [rows, columns] = [Math.floor(height / MASK_SIDE), Math.floor(width / MASK_SIDE)];
  const made = tensor([1, MASK_SIDE * MASK_SIDE, frames, rows, columns]);
  let at = 0;
  for (let channel = 0; channel < MASK_SIDE * MASK_SIDE; channel++) {
    const [dy, dx] = [Math.floor(channel / MASK_SIDE), channel % MASK_SIDE];
    for (let frame = 0; frame < frames; frame++) {
      // torch's "nearest-exact".
      const from = Math.min(length - 1, Math.floor(((frame + 0.5) * length) / frames));
      for (let y = 0; y < rows; y++) {
        const line = (from * height + y * MASK_SIDE + dy) * width + dx;
        for (let x = 0; x < columns; x++) made.data[at++] = mask.data[line + x * MASK_SIDE]!;
      }
    }
  }
  return made;
}

export const wanVaceToVideo = defineNode({
  name: 'WanVaceToVideo',
  displayName: 'WanVaceToVideo',
  category: 'model/conditioning/wan/vace',
  description: 'Has Wan VACE go by a video, by where that may change, and by a picture of what it shows.',
  required: {
    ...filmInputs,
    strength: float({ default: 1, min: 0, max: 1000, step: 0.01, tooltip: 'How strongly the video counts.' }),
  },
  optional: {
    control_video: link('IMAGE', {
      tooltip: 'Poses, depths, lines, or the film itself; grey where nothing is given.',
    }),
    control_masks: link('MASK', { tooltip: 'Where the film may change, frame by frame.' }),
    reference_image: link('IMAGE', { tooltip: 'What the film shows.' }),
  },
  outputs: [...filmOutputs, { type: 'INT', name: 'trim_latent' }],
  async run(inputs) {
    const { positive, negative, vae, width, height, length, batch_size, strength } = inputs;
    const size = { width, height, length };
    const mask = controlMask(inputs.control_masks, size);
    const { inactive, reactive } = parted(controlFilm(inputs.control_video, size), mask);
    let frames = concatChannels(await vae.encode(inactive), await vae.encode(reactive));
    let seen = maskOfLatent(mask, latentFrames(length));
    let trim = 0;
    if (inputs.reference_image !== undefined) {
      const picture = await vae.encode(fitted(atMost(inputs.reference_image, 1, 'start'), size));
      const nothing = fromModelSpace(wan21Latent, tensor(picture.shape));
      frames = joinFrames(concatChannels(picture, nothing), frames);
      trim = picture.shape[2]!;
      const [, channels = 1, , rows = 1, columns = 1] = seen.shape;
      seen = joinFrames(tensor([1, channels, trim, rows, columns]), seen);
    }
    const steered = (conditioning: Conditioning): Conditioning =>
      conditioning.map((entry) => ({
        ...entry,
        steeringFilms: [...(entry.steeringFilms ?? []), { frames, mask: seen, strength }],
      }));
    const samples = tensor([
      batch_size,
      wan21Latent.channels,
      latentFrames(length) + trim,
      Math.floor(height / 8),
      Math.floor(width / 8),
    ]);
    return { outputs: [steered(positive), steered(negative), { samples }, trim] };
  },
});

/** What an image encoder saw, as a conditioning holds it. */
const pictureInput = link('CLIP_VISION_OUTPUT', { tooltip: 'The picture as an image encoder sees it.' });
const startInput = link('IMAGE', { tooltip: 'How the film begins.' });
const controlInput = link('IMAGE', { tooltip: 'A video that the film goes by.' });

export const wanFunControlToVideo = defineNode({
  name: 'WanFunControlToVideo',
  displayName: 'WanFunControlToVideo',
  category: 'model/conditioning/wan/fun control',
  description: 'Has Wan Fun Control go by a video, and on from a picture.',
  required: filmInputs,
  optional: { clip_vision_output: pictureInput, start_image: startInput, control_video: controlInput },
  outputs: filmOutputs,
  async run(inputs) {
    const { positive, negative, vae, start_image, control_video, batch_size, ...size } = inputs;
    const shape = [1, 16, latentFrames(size.length), Math.floor(size.height / 8), Math.floor(size.width / 8)];
    const encoded = async (video: Image | undefined): Promise<Tensor> => {
      const film = fromModelSpace(wan21Latent, tensor(shape));
      if (video !== undefined)
        setFrames(film, await vae.encode(fitted(atMost(video, size.length, 'start'), size)));
      return film;
    };
    const shown = {
      concatLatentImage: concatChannels(await encoded(control_video), await encoded(start_image)),
      ...statesOf([inputs.clip_vision_output]),
    };
    const samples = tensor([batch_size, ...shape.slice(1)]);
    return { outputs: [withExtras(positive, shown), withExtras(negative, shown), { samples }] };
  },
});

export const wan22FunControlToVideo = defineNode({
  name: 'Wan22FunControlToVideo',
  displayName: 'Wan22FunControlToVideo',
  category: 'model/conditioning/wan/fun control',
  description: 'Has Wan 2.2 Fun Control go by a video, with a picture of what it shows.',
  required: filmInputs,
  optional: {
    ref_image: link('IMAGE', { tooltip: 'What the film shows.' }),
    control_video: controlInput,
  },
  outputs: filmOutputs,
  async run({ positive, negative, vae, ref_image, control_video, batch_size, ...size }) {
    const { latentChannels: channels, downscale } = vae;
    const [rows, columns] = [Math.floor(size.height / downscale), Math.floor(size.width / downscale)];
    const count = latentFrames(size.length);
    const shape = [1, channels, count, rows, columns];
    const format = channels === wan22Latent.channels ? wan22Latent : wan21Latent;
    const control = fromModelSpace(format, tensor(shape));
    const nothing = fromModelSpace(format, tensor(shape));
    if (control_video !== undefined) {
      setFrames(control, await vae.encode(fitted(atMost(control_video, size.length, 'start'), size)));
    }
    const shown: Partial<ConditioningEntry> = {
      concatLatentImage: concatChannels(control, nothing),
      concatMask: frameMask(count, rows, columns, undefined, undefined),
      concatMaskPlace: channels,
    };
    const reference = ref_image && (await vae.encode(fitted(atMost(ref_image, 1, 'start'), size)));
    const withReference = (conditioning: Conditioning): Conditioning =>
      withExtras(conditioning, shown).map((entry) =>
        reference === undefined
          ? entry
          : { ...entry, referenceLatents: [...(entry.referenceLatents ?? []), reference] },
      );
    const samples = tensor([batch_size, ...shape.slice(1)]);
    return { outputs: [withReference(positive), withReference(negative), { samples }] };
  },
});

export const wanCameraImageToVideo = defineNode({
  name: 'WanCameraImageToVideo',
  displayName: 'WanCameraImageToVideo',
  category: 'model/conditioning/wan/camera',
  description: 'Has Wan Fun Camera go on from a picture along a camera’s path.',
  required: filmInputs,
  optional: {
    clip_vision_output: pictureInput,
    start_image: startInput,
    camera_conditions: link('WAN_CAMERA_EMBEDDING', {
      tooltip: 'The camera’s path, from WanCameraEmbedding.',
    }),
  },
  outputs: filmOutputs,
  async run(inputs) {
    const { positive, negative, vae, start_image, camera_conditions, batch_size, ...size } = inputs;
    const count = latentFrames(size.length);
    const [rows, columns] = [Math.floor(size.height / 8), Math.floor(size.width / 8)];
    const shape = [1, 16, count, rows, columns];
    let shown: Partial<ConditioningEntry> = {};
    if (start_image !== undefined) {
      const start = fitted(atMost(start_image, size.length, 'start'), size);
      const film = fromModelSpace(wan21Latent, tensor(shape));
      setFrames(film, await vae.encode(start));
      const concatMask = frameMask(count, rows, columns, start.shape[0], undefined);
      shown = { concatLatentImage: film, concatMask };
    }
    shown = {
      ...shown,
      ...(camera_conditions === undefined ? {} : { camera: camera_conditions }),
      ...statesOf([inputs.clip_vision_output]),
    };
    const samples = tensor([batch_size, ...shape.slice(1)]);
    return { outputs: [withExtras(positive, shown), withExtras(negative, shown), { samples }] };
  },
});

export const wanPhantomSubjectToVideo = defineNode({
  name: 'WanPhantomSubjectToVideo',
  displayName: 'WanPhantomSubjectToVideo',
  category: 'model/conditioning/wan/phantom subject',
  description: 'Has Wan Phantom show the subjects of some pictures.',
  required: filmInputs,
  optional: { images: link('IMAGE', { tooltip: 'One picture a subject.' }) },
  outputs: [
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative_text' },
    { type: 'CONDITIONING', name: 'negative_img_text' },
    { type: 'LATENT', name: 'latent' },
  ],
  async run({ positive, negative, vae, images, batch_size, ...size }) {
    const samples = tensor([
      batch_size,
      wan21Latent.channels,
      latentFrames(size.length),
      Math.floor(size.height / 8),
      Math.floor(size.width / 8),
    ]);
    if (images === undefined) return { outputs: [positive, negative, negative, { samples }] };
    const pictures = fitted(atMost(images, size.length, 'start'), size);
    let subjects: Tensor | undefined;
    for (let row = 0; row < pictures.shape[0]!; row++) {
      const one = await vae.encode(takeRows(pictures, row, 1));
      subjects = subjects === undefined ? one : joinFrames(subjects, one);
    }
    const nothing = fromModelSpace(wan21Latent, tensor(subjects!.shape));
    const withSubjects = (conditioning: Conditioning, of: Tensor | undefined) =>
      withExtras(conditioning, of === undefined ? {} : { subjects: of });
    return {
      outputs: [
        withSubjects(positive, subjects),
        withSubjects(negative, subjects),
        withSubjects(negative, nothing),
        { samples },
      ],
    };
  },
});

export const wanFunInpaintToVideo = defineNode({
  name: 'WanFunInpaintToVideo',
  displayName: 'WanFunInpaintToVideo',
  category: 'model/conditioning/wan/fun inpaint',
  description: 'Has Wan Fun draw a film between a first and a last picture.',
  required: filmInputs,
  optional: {
    clip_vision_output: pictureInput,
    start_image: startInput,
    end_image: link('IMAGE', { tooltip: 'How the film ends.' }),
  },
  outputs: filmOutputs,
  run: ({ clip_vision_output, ...inputs }, context) =>
    wanFirstLastFrameToVideo.run(
      {
        ...inputs,
        ...(clip_vision_output === undefined ? {} : { clip_vision_start_image: clip_vision_output }),
      },
      context,
    ),
});
