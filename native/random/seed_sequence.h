// numpy.random.SeedSequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace latentd {

/// The first 32-bit word of `numpy.random.SeedSequence(entropy, spawn_key=spawn_key,
/// pool_size=pool_size).generate_state(n)` for any n; after M. E. O'Neill, "Developing a seed_seq
/// Alternative", 2015.
uint32_t SeedSequenceWord(uint64_t entropy, std::span<const uint64_t> spawn_key, size_t pool_size);

}  // namespace latentd
