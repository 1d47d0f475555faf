// Constraints: what answers are held to, compiled once for all inputs that ask for the same.
#ifndef DSVL_CLI_BATCH_CONSTRAINTS_HPP
#define DSVL_CLI_BATCH_CONSTRAINTS_HPP

#include <memory>
#include <string>
#include <unordered_map>

#include <dsvl/constraint/constraint.hpp>

#include "input.hpp"

namespace cli::batch {

class Constraints {
 public:
  /// `general` is for inputs that ask for nothing themselves; it may be null.
  Constraints(std::shared_ptr<const dsvl::Constraint> general, const dsvl::JsonOptions& form)
      : general_(std::move(general)), form_(form) {}

  /// What the answer to an input is held to; null when it is free.
  ///
  /// Codes  those of Constraint; bad_argument (a schema and choices)
  dsvl::Result<std::shared_ptr<const dsvl::Constraint>> find(const InputOptions& options);

 private:
  static constexpr std::size_t kMost = 256;  // that are kept

  std::shared_ptr<const dsvl::Constraint> general_;
  dsvl::JsonOptions form_;
  std::unordered_map<std::string, std::shared_ptr<const dsvl::Constraint>> known_;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_CONSTRAINTS_HPP
