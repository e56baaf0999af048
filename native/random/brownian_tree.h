// torchsde's BrownianTree: Brownian motion whose path doesn't depend on where it is looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <vector>

namespace latentd {

/// `torchsde.BrownianTree(t0, zeros, t1, entropy=seed)`: the interval is halved, and halved again, down to a
/// tolerance of 1e-6; each half's increment follows from its parent's and from noise whose seed is split from
/// the tree's (torchsde/_brownian/brownian_interval.py, halfway_tree).
class BrownianTree {
 public:
  /// `torch.randn(count)` of a generator seeded with `seed`.
  using Normals = std::function<void(uint64_t seed, std::span<float> into)>;

  BrownianTree(double t0, double t1, size_t count, uint64_t seed, Normals normals);

  /// The path's increment from `ta` to `tb` (ta <= tb), both first moved into the tree's interval.
  void Increment(double ta, double tb, std::span<float> into);

 private:
  /// One interval: which, by its place among those of its depth, and where.
  struct Node {
    uint64_t place;
    uint64_t depth;
    double start;
    double end;
  };

  using Values = std::vector<float>;

  struct Cached {
    uint64_t place;
    uint64_t depth;
    Values increment;
  };

  /// Adds the increments of the intervals that make up [ta, tb] within `node`, from left to right.
  void AddWithin(const Node& node, double ta, double tb, std::span<float> into, bool& first);
  Node Child(const Node& node, double midway, bool left) const;
  const Values& IncrementOf(const Node& node);
  void FillIncrement(const Node& node, Values& increment);

  Node root_;
  size_t count_;
  uint64_t seed_;
  Normals normals_;
  Values root_increment_;
  Values noise_;
  /// Increments lately used, the newest first; recomputed when they fell out.
  std::list<Cached> cache_;
};

}  // namespace latentd
