// What fragments of code in the documents use without declaring it, because the text around them says what it is.
#ifndef DSVL_TESTS_DEPLOY_SNIPPETS_HPP
#define DSVL_TESTS_DEPLOY_SNIPPETS_HPP

#include <chrono>
#include <cstddef>
#include <string_view>

#include <dsvl/dsvl.hpp>

using namespace std::chrono_literals;

extern dsvl::Result<dsvl::Model> model;
extern dsvl::Result<dsvl::Session> session;
void show(std::string_view text);

// A frame of a camera or a screen.
extern const unsigned char* data;
extern const unsigned char* y;
extern const unsigned char* uv;
extern std::ptrdiff_t stride;

#endif  // DSVL_TESTS_DEPLOY_SNIPPETS_HPP
