# The packages the library is built on. All are Debian 12 packages; Conan users get them from conan/conanfile.py.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers json url)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(YAML_CPP REQUIRED IMPORTED_TARGET yaml-cpp)

# Asio and Beast are compiled once, in vembed_asio_sources. Whoever sees their headers beside those sources must see the
# same two switches. BOOST_ASIO_NO_DEPRECATED is set nowhere: it changes what Asio's functions return, so that all of a
# program would have to set it.
add_library(vembed_asio INTERFACE)
add_library(vembed::asio ALIAS vembed_asio)
target_compile_definitions(vembed_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(vembed_asio INTERFACE Boost::headers Threads::Threads)
set_target_properties(vembed_asio PROPERTIES EXPORT_NAME asio)
