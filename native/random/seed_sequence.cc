#include "random/seed_sequence.h"

#include <algorithm>

namespace latentd {
namespace {

/// The value's 32-bit words, the lowest first; one word for 0.
void AppendWords(uint64_t value, std::vector<uint32_t>& words) {
  do {
    words.push_back(static_cast<uint32_t>(value));
    value >>= 32;
  } while (value != 0);
}

class Hash {
 public:
  Hash(uint32_t state, uint32_t multiplier) : state_(state), multiplier_(multiplier) {}

  uint32_t operator()(uint32_t value) {
    value ^= state_;
    state_ *= multiplier_;
    value *= state_;
    return value ^ value >> 16;
  }

 private:
  uint32_t state_;
  uint32_t multiplier_;
};

uint32_t Mix(uint32_t x, uint32_t y) {
  const uint32_t mixed = 0xca01f9ddu * x - 0x4973f715u * y;
  return mixed ^ mixed >> 16;
}

}  // namespace

uint32_t SeedSequenceWord(uint64_t entropy, std::span<const uint64_t> spawn_key, size_t pool_size) {
  std::vector<uint32_t> words;
  AppendWords(entropy, words);
  if (!spawn_key.empty()) {
    words.resize(std::max(words.size(), pool_size));
    for (const uint64_t key : spawn_key) AppendWords(key, words);
  }
  Hash hash(0x43b0d7e5u, 0x931e8875u);
  std::vector<uint32_t> pool(pool_size);
  for (size_t i = 0; i < pool_size; ++i) pool[i] = hash(i < words.size() ? words[i] : 0);
  for (size_t from = 0; from < pool_size; ++from) {
    for (size_t to = 0; to < pool_size; ++to) {
      if (from != to) pool[to] = Mix(pool[to], hash(pool[from]));
    }
  }
  for (size_t i = pool_size; i < words.size(); ++i) {
    for (uint32_t& value : pool) value = Mix(value, hash(words[i]));
  }
  return Hash(0x8b51f9ddu, 0x58f38dedu)(pool[0]);
}

}  // namespace latentd
