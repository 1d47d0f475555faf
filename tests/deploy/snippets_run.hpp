// What fragments of code in the documents use, where they are run: the shipped model, and a session with it.
#ifndef DSVL_TESTS_DEPLOY_SNIPPETS_RUN_HPP
#define DSVL_TESTS_DEPLOY_SNIPPETS_RUN_HPP

#include <dsvl/constraint/constraint.hpp>
#include <cstdio>

#include "snippets.hpp"

dsvl::Result<dsvl::Model> model =
    dsvl::Model::load("examples/models/tiny-vl", {.constraints = &dsvl::kConstraints});
dsvl::Result<dsvl::Session> session = dsvl::Session::open(*model);
void show(std::string_view text) { std::printf("%.*s\n", static_cast<int>(text.size()), text.data()); }

#endif  // DSVL_TESTS_DEPLOY_SNIPPETS_RUN_HPP
