/** Between films, 1×C×F×h×w, and their frames, 1×C×h×w. */
import { tensor, type Tensor } from '../../../compute/tensor.js';

/** Frame `index` of 1×C×F×h×w, 1×C×h×w. */
export function frameOf(film: Tensor, index: number): Tensor {
  const [, channels = 0, frames = 0, height = 0, width = 0] = film.shape;
  const frame = tensor([1, channels, height, width]);
  const area = height * width;
  for (let channel = 0; channel < channels; channel++) {
    const from = (channel * frames + index) * area;
    frame.data.set(film.data.subarray(from, from + area), channel * area);
  }
  return frame;
}

/** Frames 1×C×h×w as a film, 1×C×F×h×w. */
export function stacked(frames: readonly Tensor[]): Tensor {
  const [, channels = 0, height = 0, width = 0] = frames[0]!.shape;
  const film = tensor([1, channels, frames.length, height, width]);
  const area = height * width;
  frames.forEach(({ data }, frame) => {
    for (let channel = 0; channel < channels; channel++) {
      const from = data.subarray(channel * area, (channel + 1) * area);
      film.data.set(from, (channel * frames.length + frame) * area);
    }
  });
  return film;
}
