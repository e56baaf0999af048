/** The kinds of pictures that xinsir's unions see, by their numbers (ComfyUI comfy/cldm/control_types.py). */
export const UNION_KINDS = [
  'openpose',
  'depth',
  'hed/pidi/scribble/ted',
  'canny/lineart/anime_lineart/mlsd',
  'normal',
  'segment',
  'tile',
  'repaint',
] as const;
