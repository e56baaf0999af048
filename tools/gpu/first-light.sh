#!/usr/bin/env bash
# first-light.sh BUNDLE [REPORT]: what a machine with a card that is had by the minute has to run, from what pack-first-light.sh made. Each stage has
# its own time limit, what it says is in REPORT (first-light.txt) at once, and one that fails stops no other; with the limits, all of it ends
# within 11 minutes. Ends with the number of stages that failed. EMULATED=1 takes sizes that the emulated card can do.
set -uo pipefail
bundle=$(realpath "${1:?usage: first-light.sh BUNDLE [REPORT]}")
report=$(realpath -m "${2:-first-light.txt}")
emulated=${EMULATED:-0}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$report"
started=$SECONDS
failed=0

# stage NAME SECONDS COMMAND…: all that it prints, its exit status (124: over its limit) and how long it took.
stage() {
  local name=$1 limit=$2 begun=$SECONDS status
  shift 2
  printf '\n## %s (at %d s, at most %d s)\n' "$name" $((SECONDS - started)) "$limit" >>"$report"
  timeout --kill-after=5 "$limit" "$@" >>"$report" 2>&1
  status=$?
  [ "$status" = 0 ] || failed=$((failed + 1))
  printf -- '-- %s: exit status %d after %d s\n' "$name" "$status" $((SECONDS - begun)) | tee -a "$report"
}
# Prints a file of results even when what wrote it did not end.
results() {
  "${@:2}"
  local status=$?
  if [ -e "$1" ]; then cat "$1"; fi
  return "$status"
}
export -f results

unpack() {
  mkdir -p "$work/latentd" && tar xf "$bundle"/latentd-*.tar.xz -C "$work/latentd" --strip-components=1 &&
    tar xf "$bundle/first-light.tar.xz" -C "$work" && cp -r "$work/first-light/build" "$work/latentd/" && du -sh "$work"
}
export work bundle
export -f unpack
node=$work/latentd/bin/node
checks=$work/latentd/build/gpu/bench/cuda
fixtures=$work/first-light
# cuBLASLt, where PyTorch's wheels brought it.
libraries=$(python3 -c 'import nvidia, os; print(":".join(os.path.join(p, d, "lib") for p in nvidia.__path__ for d in os.listdir(p) if os.path.isdir(os.path.join(p, d, "lib"))))' 2>/dev/null)
export LD_LIBRARY_PATH=${libraries:+$libraries:}${LD_LIBRARY_PATH:-}
export XDG_CACHE_HOME=$work/cache HOME=$work/home
mkdir -p "$HOME"

if [ "$emulated" = 1 ]; then
  kernels=1 family=sd15 manifest=sd15-tiny side=64 steps=2 runs=1 pixels=32 blocks=1
else
  kernels=8 family=sdxl manifest=sdxl-full side=1024 steps=30 runs=15 pixels=1024 blocks=Infinity
fi

stage 'unpack' 45 bash -c unpack
stage 'machine' 20 bash -c 'nvidia-smi; nproc; free -g; df -h /tmp'
stage 'doctor' 20 "$work/latentd/latentd" doctor
stage 'kernels beside their twins' 90 "$node" "$checks/check.js" "$fixtures" "$kernels" kernels
stage "tiny networks beside ComfyUI's numbers" 45 "$node" "$checks/check.js" "$fixtures" "$kernels" networks
stage "$family: loading, a step, decoding, whole images" 130 bash -c 'results "$@"' _ "$work/measure.json" \
  "$node" "$checks/measure.js" "$work/models/checkpoints/$manifest.safetensors" "$fixtures/golden/manifests/$manifest.json" \
  "$work/measure.json" "$side" "$steps" "$runs"
stage "$family: a cold image with what the card has measured" 45 bash -c 'results "$@"' _ "$work/again.json" \
  "$node" "$checks/measure.js" "$work/models/checkpoints/$manifest.safetensors" "$fixtures/golden/manifests/$manifest.json" \
  "$work/again.json" "$side" "$steps" 3
rm -rf "$work/models"
for form in bf16 fp8; do
  stage "flux-dev, $form: loading and a step" 60 bash -c 'results "$@"' _ "$work/flux-$form.json" \
    "$node" "$checks/transformer.js" flux-dev "$form" "$work/models" "$work/flux-$form.json" "$pixels" "$blocks"
done
if [ -d "$fixtures/comfyui" ]; then
  export COMFY=$fixtures/comfyui
  if [ "$emulated" = 1 ]; then peer=(--cpu-trial --modes=); else peer=(--modes=default,max-autotune); fi
  stage 'PyTorch, the same networks' 150 python3 "$fixtures/tools/torch_peer.py" "${peer[@]}"
fi
printf '\n%d stages failed; %d s in all\n' "$failed" $((SECONDS - started)) | tee -a "$report"
exit "$failed"
