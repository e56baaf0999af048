/** The models that ship with the package (tools/starter), and what suits the one that draws. */
export const STARTER = {
  checkpoint: 'starter-sprites.safetensors',
  lora: 'starter-handheld.safetensors',
  /** Doubles pixel art. */
  upscaler: 'starter-x2.safetensors',
  /** Pixels a side of the pictures that it was trained on. */
  side: 128,
  cfg: 4,
} as const;

/** Pixels a side of the shipped templates' canvas, SDXL's. */
export const TEMPLATE_SIDE = 1024;
