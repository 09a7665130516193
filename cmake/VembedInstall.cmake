# What `cmake --install` puts where, and the package that find_package(vembed) finds. The modules are object libraries
# inside the archives; none of them is exported.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(VEMBED_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/vembed")

install(TARGETS vembed vembed_testing vembed_asio vembed_asio_sources EXPORT vembedTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT vembedTargets NAMESPACE vembed:: DESTINATION "${VEMBED_PACKAGE_DIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/vembed" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.hpp")
if(TARGET vembed_program)
    install(TARGETS vembed_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/vembedConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/vembedConfig.cmake" INSTALL_DESTINATION "${VEMBED_PACKAGE_DIR}"
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vembedConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/vembedConfig.cmake" "${PROJECT_BINARY_DIR}/vembedConfigVersion.cmake"
    DESTINATION "${VEMBED_PACKAGE_DIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
