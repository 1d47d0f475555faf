// LoadReport: what loading found, tensor by tensor.
#ifndef DSVL_MODEL_REPORT_HPP
#define DSVL_MODEL_REPORT_HPP

#include <string>
#include <vector>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// Filled whether loading succeeds or not. Names are in the checkpoint's own spelling.
struct LoadReport {
  std::vector<std::string> missing;    ///< needed, and not in the checkpoint
  std::vector<std::string> misshapen;  ///< "tensor 'x' has shape …, model needs …"; wrong dtypes too
  std::vector<std::string> unused;     ///< in the checkpoint, and never read: ignored
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_REPORT_HPP
