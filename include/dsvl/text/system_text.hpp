// The system text that the models were trained with.
#ifndef DSVL_TEXT_SYSTEM_TEXT_HPP
#define DSVL_TEXT_SYSTEM_TEXT_HPP

#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// Stands in front of every conversation unless another is given.
/// Source: deepseek_vl/utils/conversation.py, the template "deepseek".
inline constexpr std::string_view kDefaultSystem =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language.";

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_SYSTEM_TEXT_HPP
