/** Accelerators that promise the same picture: models are handed on, since they run here as they always do. */
import { boolean, combo, defineControlNode, link } from '../../public.js';

export const sageAttention = defineControlNode({
  name: 'PathchSageAttentionKJ',
  displayName: 'Patch Sage Attention KJ',
  category: 'KJNodes/experimental',
  description: 'The model, as it came: attention is computed here in one way, whatever is chosen.',
  required: {
    model: link('MODEL'),
    sage_attention: combo(
      [
        'disabled',
        'auto',
        'sageattn_qk_int8_pv_fp16_cuda',
        'sageattn_qk_int8_pv_fp16_triton',
        'sageattn_qk_int8_pv_fp8_cuda',
        'sageattn_qk_int8_pv_fp8_cuda++',
        'sageattn3',
        'sageattn3_per_block_mean',
      ],
      { tooltip: 'Changes nothing here.' },
    ),
  },
  optional: { allow_compile: boolean({ default: false }) },
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  run: ({ model }) => ({ outputs: [model] }),
});
