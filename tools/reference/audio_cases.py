"""Makes test/fixtures/nodes/cases/audio.safetensors: ComfyUI's nodes for sound on short sounds.

Needs torchaudio (its Python code is enough) beside what comfy_nodes.py needs.
Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/audio_cases.py [OUT]
"""
import sys

from node_case_file import CaseFile, Typed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(11)


def sound(rate, channels, count, rows=1): return {"waveform": torch.rand(rows, channels, count) * 1.6 - 0.8, "sample_rate": rate}


none = Typed("AUDIO", None)
mono, stereo, slow = sound(48000, 1, 90), sound(44100, 2, 70), sound(8000, 2, 40)
empty, two = sound(8000, 2, 0), sound(12000, 2, 30, rows=2)
for duration, rate, channels in ((0.001, 44100, 2), (0.0, 8000, 1), (0.0126, 999, 1)): case("EmptyAudio", duration=duration, sample_rate=rate, channels=channels)
for given in (mono, stereo, slow, two, empty, none):
    for start, duration in ((0.0, 60.0), (0.0005, 0.001), (-0.001, 0.0005), (-5.0, 0.0011), (7.0, 1.0)): case("TrimAudioDuration", audio=given, start_index=start, duration=duration)
    case("SplitAudioChannels", audio=given)
    for volume in (0, 6, -100): case("AudioAdjustVolume", audio=given, volume=volume)
left, right = {"waveform": stereo["waveform"][:, :1], "sample_rate": 44100}, sound(24000, 1, 33)
for pair in ((left, mono), (mono, right), (right, right), (none, mono), (mono, none), (none, none), (stereo, mono)):
    case("JoinAudioChannels", audio_left=pair[0], audio_right=pair[1])
pairs = [(stereo, mono), (mono, slow), (slow, two), (stereo, stereo), (none, slow), (slow, none), (empty, slow), (mono, mono)]
for one, other in pairs:
    for direction in ("after", "before"): case("AudioConcat", audio1=one, audio2=other, direction=direction)
    for method in ("add", "mean", "subtract", "multiply"): case("AudioMerge", audio1=one, audio2=other, merge_method=method)
plain = dict(low_gain_dB=0.0, low_freq=100, mid_gain_dB=0.0, mid_freq=1000, mid_q=0.707, high_gain_dB=0.0, high_freq=5000)
for given in (mono, stereo, slow, two, empty, none):
    for bands in ({}, dict(low_gain_dB=6.0), dict(mid_gain_dB=-9.5, mid_q=2.3), dict(high_gain_dB=-24.0, high_freq=3000), dict(low_gain_dB=-12.0, low_freq=500, mid_gain_dB=3.3, high_gain_dB=12.0)):
        case("AudioEqualizer3Band", audio=given, **{**plain, **bands})
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/audio.safetensors")
