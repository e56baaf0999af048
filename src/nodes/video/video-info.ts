/** What is known of a film that was loaded (ComfyUI-VideoHelperSuite, nodes.py). */
import { defineNode, link } from '../definition.js';
import { FILM_CATEGORY } from './film-sampling.js';
import type { FilmFacts } from '../values.js';

function valuesOf({ fps, frameCount, duration, width, height }: FilmFacts) {
  return [fps, frameCount, duration, width, height] as const;
}

const required = { video_info: link('VHS_VIDEOINFO') } as const;

export const vhsVideoInfo = defineNode({
  name: 'VHS_VideoInfo',
  displayName: 'Video Info 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description: 'The rate, length and size of a film, as it is and as it was loaded.',
  required,
  optional: {},
  outputs: [
    { type: 'FLOAT', name: 'source_fps🟨' },
    { type: 'INT', name: 'source_frame_count🟨' },
    { type: 'FLOAT', name: 'source_duration🟨' },
    { type: 'INT', name: 'source_width🟨' },
    { type: 'INT', name: 'source_height🟨' },
    { type: 'FLOAT', name: 'loaded_fps🟦' },
    { type: 'INT', name: 'loaded_frame_count🟦' },
    { type: 'FLOAT', name: 'loaded_duration🟦' },
    { type: 'INT', name: 'loaded_width🟦' },
    { type: 'INT', name: 'loaded_height🟦' },
  ],
  run: ({ video_info: { source, loaded } }) => ({
    outputs: [...valuesOf(source), ...valuesOf(loaded)] as const,
  }),
});

function partly(mark: '🟨' | '🟦') {
  return [
    { type: 'FLOAT', name: `fps${mark}` },
    { type: 'INT', name: `frame_count${mark}` },
    { type: 'FLOAT', name: `duration${mark}` },
    { type: 'INT', name: `width${mark}` },
    { type: 'INT', name: `height${mark}` },
  ] as const;
}

export const vhsVideoInfoSource = defineNode({
  name: 'VHS_VideoInfoSource',
  displayName: 'Video Info (Source) 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description: 'The rate, length and size of a film as it is.',
  required,
  optional: {},
  outputs: partly('🟨'),
  run: ({ video_info: { source } }) => ({ outputs: valuesOf(source) }),
});

export const vhsVideoInfoLoaded = defineNode({
  name: 'VHS_VideoInfoLoaded',
  displayName: 'Video Info (Loaded) 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description: 'The rate, length and size of a film as it was loaded.',
  required,
  optional: {},
  outputs: partly('🟦'),
  run: ({ video_info: { loaded } }) => ({ outputs: valuesOf(loaded) }),
});
