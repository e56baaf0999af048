#include "random/brownian_tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "random/seed_sequence.h"

namespace latentd {
namespace {

constexpr size_t kPoolSize = 24;
/// Two paths from the root to a tolerance of 1e-6, with room.
constexpr size_t kCacheSize = 64;

/// Python's `round(x, 6)`: the decimal nearest to the exact value of x, then the double nearest to that.
double RoundToTolerance(double x) {
  std::array<char, 400> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), x, std::chars_format::fixed, 6);
  double rounded = x;
  std::from_chars(text.data(), written.ptr, rounded);
  return rounded;
}

double Midway(double start, double end) { return RoundToTolerance(0.5 * (end + start)); }

}  // namespace

BrownianTree::BrownianTree(double t0, double t1, size_t count, uint64_t seed, Normals normals)
    : root_{0, 0, RoundToTolerance(t0), RoundToTolerance(t1)},
      count_(count),
      seed_(seed),
      normals_(std::move(normals)),
      root_increment_(count),
      noise_(count) {
  normals_(SeedSequenceWord(seed, {}, kPoolSize), root_increment_);
  const float deviation = static_cast<float>(std::sqrt(t1 - t0));
  for (float& value : root_increment_) value *= deviation;
}

void BrownianTree::Increment(double ta, double tb, std::span<float> into) {
  ta = RoundToTolerance(std::clamp(ta, root_.start, root_.end));
  tb = RoundToTolerance(std::clamp(tb, root_.start, root_.end));
  std::fill(into.begin(), into.end(), 0.0f);
  if (ta >= tb) return;
  bool first = true;
  AddWithin(root_, ta, tb, into, first);
}

void BrownianTree::AddWithin(const Node& node, double ta, double tb, std::span<float> into, bool& first) {
  if (ta == node.start && tb == node.end) {
    const Values& increment = IncrementOf(node);
    for (size_t i = 0; i < count_; ++i) into[i] = first ? increment[i] : into[i] + increment[i];
    first = false;
    return;
  }
  const double midway = Midway(node.start, node.end);
  if (ta < midway) AddWithin(Child(node, midway, true), ta, std::min(tb, midway), into, first);
  if (tb > midway) AddWithin(Child(node, midway, false), std::max(ta, midway), tb, into, first);
}

BrownianTree::Node BrownianTree::Child(const Node& node, double midway, bool left) const {
  return {2 * node.place + (left ? 0 : 1), node.depth + 1, left ? node.start : midway,
          left ? midway : node.end};
}

const BrownianTree::Values& BrownianTree::IncrementOf(const Node& node) {
  if (node.depth == 0) return root_increment_;
  const auto found = std::find_if(cache_.begin(), cache_.end(), [&node](const Cached& cached) {
    return cached.depth == node.depth && cached.place == node.place;
  });
  if (found != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, found);
    return found->increment;
  }
  Values increment(count_);
  FillIncrement(node, increment);
  if (cache_.size() == kCacheSize) cache_.pop_back();
  cache_.push_front({node.place, node.depth, std::move(increment)});
  return cache_.front().increment;
}

void BrownianTree::FillIncrement(const Node& node, Values& increment) {
  // Down from the root again, for the parent's edges are roundings of its own ancestors'.
  Node parent = root_;
  for (uint64_t depth = 1; depth < node.depth; ++depth) {
    const bool left = (node.place >> (node.depth - depth) & 1) == 0;
    parent = Child(parent, Midway(parent.start, parent.end), left);
  }
  const Values& whole = IncrementOf(parent);
  const double midway = Midway(parent.start, parent.end);
  const double left_part = midway - parent.start;
  const double right_part = parent.end - midway;
  const double h_reciprocal = 1 / (parent.end - parent.start);
  const std::array<uint64_t, 2> key = {parent.place, parent.depth};
  normals_(SeedSequenceWord(seed_, key, kPoolSize), noise_);
  const float deviation = static_cast<float>(std::sqrt(left_part * right_part * h_reciprocal));
  const float left_share = static_cast<float>(left_part);
  const float reciprocal = static_cast<float>(h_reciprocal);
  const bool left = (node.place & 1) == 0;
  for (size_t i = 0; i < count_; ++i) {
    const float left_increment = left_share * whole[i] * reciprocal + deviation * noise_[i];
    increment[i] = left ? left_increment : whole[i] - left_increment;
  }
}

}  // namespace latentd
