// A sampler's options, by ComfyUI's names.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace latentd {

/// `eta`, `s_noise`, `solver_type`, … : the keyword arguments of k-diffusion's samplers. Truth values are 1
/// and 0.
class SamplerOptions {
 public:
  using Value = std::variant<double, std::string>;

  void Set(std::string name, Value value) { values_.emplace_back(std::move(name), std::move(value)); }

  double Number(std::string_view name, double otherwise) const {
    const Value* value = Find(name);
    if (value == nullptr) return otherwise;
    if (const double* number = std::get_if<double>(value)) return *number;
    throw std::out_of_range("the option " + std::string(name) + " must be a number");
  }

  /// A whole number from `low` to `high`.
  int Whole(std::string_view name, int otherwise, int low, int high) const {
    const double number = Number(name, otherwise);
    if (!(number >= low && number <= high) || number != static_cast<int>(number)) {
      throw std::out_of_range("the option " + std::string(name) + " must be a whole number from " +
                              std::to_string(low) + " to " + std::to_string(high));
    }
    return static_cast<int>(number);
  }

  std::string Text(std::string_view name, std::string otherwise) const {
    const Value* value = Find(name);
    if (value == nullptr) return otherwise;
    if (const std::string* text = std::get_if<std::string>(value)) return *text;
    throw std::out_of_range("the option " + std::string(name) + " must be a text");
  }

 private:
  const Value* Find(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return &value;
    }
    return nullptr;
  }

  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace latentd
