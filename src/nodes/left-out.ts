/** Node classes that workflows with films name and latentd lacks, and what does their work. */

const WHOLE_FILMS =
  'films are loaded as a whole, or in part by frame_load_cap and skip_first_frames; whole films go through `latentd upscale`';
const BY_FFMPEG = 'use VHS_LoadVideo, with skip_first_frames instead of start_time';
const FOLDERS = 'use LoadImage and VHS_MergeImages, or make a film of the pictures';
const FILES = 'the files that a run wrote are in its result';

export const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['VHS_BatchManager', WHOLE_FILMS],
  ['VHS_LoadVideoFFmpeg', BY_FFMPEG],
  ['VHS_LoadVideoFFmpegPath', `${BY_FFMPEG}, or VHS_LoadVideoPath`],
  ['VHS_LoadImages', FOLDERS],
  ['VHS_LoadImagesPath', FOLDERS],
  ['VHS_LoadImagePath', 'use LoadImage'],
  ['VHS_PruneOutputs', FILES],
  ['VHS_SelectFilename', FILES],
  ['VHS_SelectLatest', FILES],
]);
