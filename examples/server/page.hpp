// The web page, whose files the build puts into the program.
#ifndef DSVL_SERVER_PAGE_HPP
#define DSVL_SERVER_PAGE_HPP

#include <string_view>

namespace server {

extern const std::string_view kPageHtml, kPageCss, kPageJs;

}  // namespace server

#endif  // DSVL_SERVER_PAGE_HPP
