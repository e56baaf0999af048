/**
 * Numbers by which the kernels know what they are to do. They are those of C++ enums; test/native/kernel-numbers.test.ts compares
 * the two.
 */

/** native/compute/kernels.h, enum Activation */
export const KERNEL_ACTIVATION = {
  none: 0,
  silu: 1,
  gelu: 2,
  quick_gelu: 3,
  geglu: 4,
  leaky_relu: 5,
  gelu_tanh: 6,
} as const;

/** native/compute/kernels.h, enum ScaleKind */
export const SCALE_KIND = { none: 0, one: 1, rows: 2, blocks_of16: 3, blocks_of32: 4 } as const;

/** native/cuda/program.h, enum Kind */
export const CUDA_KIND = {
  import: 0,
  export: 1,
  product: 2,
  group_norm: 3,
  layer_norm: 4,
  attention: 5,
  elementwise: 6,
  mean_map: 7,
  low_frequencies: 8,
} as const;

/** native/cuda/kernels/kernels.h, enum Elementwise */
export const CUDA_ELEMENTWISE = {
  activate: 0,
  geglu: 1,
  geglu_pairs: 2,
  add: 3,
  scale: 4,
  add_per_channel: 5,
  add_rows: 6,
  copy: 7,
  resize: 8,
  select_row: 9,
  leaky_relu: 10,
  prelu: 11,
  pixel_shuffle: 12,
  pixel_unshuffle: 13,
  scale_channels: 14,
} as const;

/** native/cuda/formats.h, enum Activation */
export const CUDA_ACTIVATION = {
  none: 0,
  silu: 1,
  gelu: 2,
  quick_gelu: 3,
  relu: 4,
  sigmoid: 5,
  tanh: 6,
  geglu: 7,
  gelu_tanh: 8,
} as const;

/** native/cuda/program.h, enum Element */
export const CUDA_ELEMENT = { half: 0, float: 1, int: 2 } as const;

/** native/cuda/kernels/kernels.h, kMostProducts: low-rank products that are added to one weight. */
export const CUDA_MOST_PRODUCTS = 8;

/** native/onnx/operators.cc, kMoreParts: parts along the channels that a convolution reads beside the first. */
export const CONVOLUTION_MORE_PARTS = 7;
