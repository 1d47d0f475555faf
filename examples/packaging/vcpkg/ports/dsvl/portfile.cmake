# The headers, from the sources that this port lies in. A registry's port takes the archive of a release instead:
#   vcpkg_download_distfile(archive URLS "…/dsvl-${VERSION}-headers.tar.gz" FILENAME dsvl-${VERSION}.tar.gz SHA512 …)
#   vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${archive}")
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../../.." ABSOLUTE)
set(VCPKG_BUILD_TYPE release)  # header-only

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DDSVL_TESTS=OFF -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF -DDSVL_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/dsvl)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
# What the copyright file says already, and folders that would be empty.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/doc" "${CURRENT_PACKAGES_DIR}/share/cmake"
                    "${CURRENT_PACKAGES_DIR}/lib")
