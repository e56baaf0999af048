// CUDA, or its emulation on the processor (LATENTD_CUDA_EMULATION, for tests).
#pragma once

#ifdef LATENTD_CUDA_EMULATION
#include "cuda/emulation/emulation.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#endif
