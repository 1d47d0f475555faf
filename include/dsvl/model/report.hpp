// LoadReport: what loading found, tensor by tensor and setting by setting.
//
// Opening and converting a model fill it for the host, which may show it. A model that opens may have unused tensors.
#ifndef DSVL_MODEL_REPORT_HPP
#define DSVL_MODEL_REPORT_HPP

#include <string>
#include <vector>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// A value that shapes answers, and where it came from.
struct Setting {
  std::string name;    ///< "preprocess.low.mean"
  std::string value;   ///< "0.5 0.5 0.5"
  std::string origin;  ///< "preprocessor_config.json: image_mean"
};

/// Filled whether loading succeeds or not. Tensors have the checkpoint's own spelling.
struct LoadReport {
  std::vector<std::string> missing;    ///< tensors that are needed and not in the checkpoint
  std::vector<std::string> misshapen;  ///< "tensor 'x' has shape …, model needs …", also for wrong dtypes
  std::vector<std::string> unused;     ///< tensors in the checkpoint that no weight needs; they are ignored
  std::vector<Setting> settings;       ///< how pictures are prepared, and what ends an answer
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_REPORT_HPP
