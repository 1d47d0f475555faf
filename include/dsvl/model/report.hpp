// LoadReport: what loading found, tensor by tensor and setting by setting.
#ifndef DSVL_MODEL_REPORT_HPP
#define DSVL_MODEL_REPORT_HPP

#include <string>
#include <vector>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// A value that shapes answers, and where it came from: "low view: mean", "0.5 0.5 0.5",
/// "preprocessor_config.json: image_mean".
struct Setting {
  std::string name, value, origin;
};

/// Filled whether loading succeeds or not. Names are in the checkpoint's own spelling.
struct LoadReport {
  std::vector<std::string> missing;    ///< needed, and not in the checkpoint
  std::vector<std::string> misshapen;  ///< "tensor 'x' has shape …, model needs …"; wrong dtypes too
  std::vector<std::string> unused;     ///< in the checkpoint, and never read: ignored
  std::vector<Setting> settings;       ///< how pictures are prepared, and what ends an answer
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_REPORT_HPP
