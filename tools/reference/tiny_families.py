"""Teaches ComfyUI the sizes of tiny files of families whose sizes it fixes, beside those that comfy_env.py knows. To be imported after it."""
import comfy.model_detection

_detect = comfy.model_detection.detect_unet_config


def _count(state_dict, pattern):
    number = 0
    while pattern.format(number) in state_dict:
        number += 1
    return number


def _sizes(state_dict, prefix, *arguments, **keywords):
    config = _detect(state_dict, prefix, *arguments, **keywords)
    if config is not None and config.get("image_model") == "hidream":
        shape = lambda name: state_dict[prefix + name].shape
        double, single = (_count(state_dict, prefix + kind + "_stream_blocks.{}.block.attn1.to_q.weight") for kind in ("double", "single"))
        blocks = double + single
        config.update(num_attention_heads=shape("x_embedder.proj.weight")[0] // 128, num_layers=double, num_single_layers=single,
                      caption_channels=[shape(f"caption_projection.{blocks}.linear.weight")[1], shape("caption_projection.0.linear.weight")[1]],
                      text_emb_dim=shape("p_embedder.pooled_embedder.linear_1.weight")[1], llama_layers=[min(block, 2) for block in range(blocks)])
    return config


comfy.model_detection.detect_unet_config = _sizes
