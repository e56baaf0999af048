#!/usr/bin/env bash
# tools/gpu/pack-first-light.sh [FOLDER]: all that first-light.sh runs, in FOLDER (.gpu), at most 64 MiB: the portable build with its CUDA
# addon for one architecture (ARCHITECTURE, 90), the compiled checks, the fixtures that they read and, where COMFY names ComfyUI's
# folder, its modules for torch_peer.py. EMULATED=1 takes the emulated card's addon for the CUDA addon, to try it all without a card.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(realpath -m "${1:-.gpu}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target"
rm -f "$target"/*

# The addons that are there are put back: the packed CUDA addon is for one architecture alone, or no card's at all.
release=build/Release
own=$release/latentd-cuda.node
if [ -e "$own" ]; then cp "$own" "$work/own.node"; fi
restore() {
  if [ -e "$work/own.node" ]; then cp "$work/own.node" "$own"; else rm -f "$own"; fi
  rm -rf "$work"
}
trap restore EXIT
if [ "${EMULATED:-0}" = 1 ]; then
  npx vitest run test/compute/cuda/kernels.test.ts >/dev/null
  cp "$(ls -t node_modules/.cache/latentd/cuda-emulation-*.node | head -1)" "$own"
else
  npx cmake-js configure --log-level warn --CDLATENTD_CUDA=on "--CDCMAKE_CUDA_ARCHITECTURES=${ARCHITECTURE:-90}-real"
  npx cmake-js compile --log-level warn
fi

npm run --silent build:gpu
npm run --silent pack:portable -- "$target"
fixtures=$work/first-light
mkdir -p "$fixtures/golden/manifests" "$fixtures/build" "$fixtures/tools"
for family in sd15 sdxl; do
  cp "test/fixtures/golden/$family-tiny.golden.safetensors" "$fixtures/golden/"
  for size in tiny full; do cp "test/fixtures/golden/manifests/$family-$size.json" "$fixtures/golden/manifests/"; done
done
cp -r build/gpu "$fixtures/build/gpu"
cp tools/gpu/torch_peer.py "$fixtures/tools/"
if [ -n "${COMFY:-}" ]; then
  mkdir -p "$fixtures/comfyui"
  (cd "$COMFY" && tar cf - --exclude=__pycache__ --exclude='*.json' --exclude='*.txt' --exclude='*tokenizer*' comfy) | tar xf - -C "$fixtures/comfyui"
fi
tar cJf "$target/first-light.tar.xz" -C "$work" first-light
cp tools/gpu/first-light.sh "$target/"

size=$(du -sm "$target" | cut -f1)
echo "$target: $size MiB"
[ "$size" -le 64 ] || { echo "more than the 64 MiB that may be brought along" >&2; exit 1; }
