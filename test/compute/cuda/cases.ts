/** The operations that the CUDA engine has kernels for, by the names of their cases; graphs with others run on the CPU. */
export const CUDA_CASES: ReadonlySet<string> = new Set([
  ...['conv3x3', 'conv_narrow', 'conv_stride', 'conv_asymmetric', 'conv1x1', 'conv14x14'],
  ...['linear', 'linear_rows', 'group_norm', 'layer_norm'],
  ...['silu', 'gelu', 'gelu_tanh', 'quick_gelu', 'relu', 'sigmoid', 'tanh', 'geglu'],
  ...['attention', 'attention_causal', 'attention_long'],
  ...['add', 'scale', 'add_per_channel', 'add_rows', 'upsample_double', 'upsample_like'],
  ...[
    'leaky_relu',
    'scale_channels',
    'scale_channels_map',
    'mean_map',
    'low_frequencies',
    'low_frequencies_small',
  ],
  ...['spatial_to_tokens', 'tokens_to_spatial', 'select_token'],
]);
