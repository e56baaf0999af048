"""Teaches ComfyUI the sizes of tiny files of families whose sizes it fixes, beside those that comfy_env.py knows. To be imported after it."""
import gzip
import json

import comfy_env
import comfy.clip_vision as clip_vision
import comfy.ldm.flux.redux as redux
import comfy.ldm.wan.model as wan
import comfy.model_detection
import comfy.text_encoders.flux as flux
import comfy.text_encoders.hidream as hidream
import comfy.text_encoders.hunyuan_video as hunyuan_video
import comfy.text_encoders.sd3_clip as sd3_clip
import torch
from transformers import PreTrainedTokenizerFast

_picture = {}


def _count(state_dict, pattern):
    number = 0
    while pattern.format(number) in state_dict:
        number += 1
    return number


_projection = wan.MLPProj.__init__
wan.MLPProj.__init__ = lambda self, in_dim, *arguments, **keywords: _projection(self, _picture.get("width", in_dim), *arguments, **keywords)


def _tower(sd, prefix="", convert_keys=False):
    """An image encoder of the width and depth that its file shows."""
    w = sd["vision_model.embeddings.patch_embedding.weight"].shape
    layers = _count(sd, "vision_model.encoder.layers.{}.layer_norm1.weight")
    is_clip = "vision_model.embeddings.class_embedding" in sd
    positions = sd["vision_model.embeddings.position_embedding.weight"].shape[0]
    config = dict(hidden_size=w[0], num_hidden_layers=layers, num_attention_heads=16, intermediate_size=4 * w[0], num_channels=3, patch_size=w[2],
                  image_size=int((positions - is_clip) ** 0.5) * w[2], hidden_act="quick_gelu" if is_clip else "gelu_pytorch_tanh",
                  model_type="clip_vision_model" if is_clip else "siglip_vision_model")
    if is_clip:
        config["projection_dim"] = sd["visual_projection.weight"].shape[0]
    else:
        config.update(image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5])
    clip = clip_vision.ClipVisionModel(config)
    clip.load_sd(sd)
    return clip


def _redux(self, *arguments, **keywords):
    torch.nn.Module.__init__(self)
    self.redux_up, self.redux_down = torch.nn.Linear(48, 960), torch.nn.Linear(960, 320)


clip_vision.load_clipvision_from_sd = _tower
redux.ReduxImageEncoder.__init__ = _redux
_detect = comfy.model_detection.detect_unet_config


def _sizes(state_dict, prefix, *arguments, **keywords):
    config = _detect(state_dict, prefix, *arguments, **keywords)
    shape = lambda name: state_dict[prefix + name].shape
    if prefix + "img_emb.proj.1.weight" in state_dict:
        _picture["width"] = shape("img_emb.proj.1.weight")[1]
    if prefix + "double_layers.0.attn.w1q.weight" in state_dict:
        config.update(dim=shape("cond_seq_linear.weight")[0], global_conddim=shape("cond_seq_linear.weight")[0])
    if config is not None and config.get("image_model") == "hidream":
        double, single = (_count(state_dict, prefix + kind + "_stream_blocks.{}.block.attn1.to_q.weight") for kind in ("double", "single"))
        blocks = double + single
        config.update(num_attention_heads=shape("x_embedder.proj.weight")[0] // 128, num_layers=double, num_single_layers=single,
                      caption_channels=[shape(f"caption_projection.{blocks}.linear.weight")[1], shape("caption_projection.0.linear.weight")[1]],
                      text_emb_dim=shape("p_embedder.pooled_embedder.linear_1.weight")[1], llama_layers=[min(block, 2) for block in range(blocks)])
    return config


comfy.model_detection.detect_unet_config = _sizes


_options = comfy_env.text_encoder_options


def _text_sizes(state_dict):
    options = _options(state_dict)
    for each in state_dict if isinstance(state_dict, list) else []:
        key = "model.layers.0.self_attn.q_proj.weight"
        if key in each and "model.layers.0.self_attn.q_norm.weight" not in each:
            options["llama_model_config"] = comfy_env.text_encoder_sizes(each)
    return options


comfy_env.text_encoder_options = _text_sizes
_load = hidream.HiDreamTEModel.load_sd
hidream.HiDreamTEModel.load_sd = lambda self, state_dict: self.t5xxl.load_sd(state_dict) if "encoder.block.0.layer.0.SelfAttention.q.weight" in state_dict else _load(self, state_dict)


def stand_ins(folder):
    """Takes the stand-ins of test/fixtures/text for the vocabularies of Llama 3 and T5 from now on."""
    class StandIn(PreTrainedTokenizerFast):
        name = ""

        @classmethod
        def from_pretrained(cls, *arguments, **keywords):
            from tokenizers import Tokenizer, pre_tokenizers
            description = json.loads(gzip.open(f"{folder}/{cls.name}-stand-in.json.gz").read())
            tokenizer = Tokenizer.from_str(json.dumps(description))
            if cls.name == "t5":
                from tokenizers.processors import TemplateProcessing
                tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), tokenizer.pre_tokenizer])
                tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
            return cls(tokenizer_object=tokenizer)

    hunyuan_video.LlamaTokenizerFast = type("Llama", (StandIn,), {"name": "llama"})
    sd3_clip.T5TokenizerFast = flux.T5TokenizerFast = type("T5", (StandIn,), {"name": "t5"})
