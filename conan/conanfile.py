"""vembed as a Conan 2 package: `conan create conan`. The sources are those of the checkout around this file."""

import os

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.gnu import PkgConfigDeps


class VembedConan(ConanFile):
    name = "vembed"
    license = "BSL-1.0"
    description = "Embeds a corpus through a remote verified-inference service"
    topics = ("embeddings", "asio", "coroutines")
    package_type = "static-library"
    settings = "os", "compiler", "build_type", "arch"
    options = {"program": [True, False]}
    default_options = {"program": True}

    @property
    def _checkout(self):
        return os.path.join(self.recipe_folder, os.pardir)

    def set_version(self):
        text = load(self, os.path.join(self._checkout, "CMakeLists.txt"))
        self.version = text.split("project(vembed VERSION ", 1)[1].split()[0]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, src=self._checkout, dst=self.export_sources_folder)

    def requirements(self):
        # Their headers are in vembed's own.
        for package in ("boost/1.81.0", "eigen/3.4.0", "openssl/[>=3 <4]"):
            self.requires(package, transitive_headers=True)
        for package in ("sqlite3/3.44.2", "zlib/[>=1.2.11 <2]", "zstd/1.5.5", "yaml-cpp/0.7.0"):
            self.requires(package)
        if self.options.program:
            for package in ("cli11/2.3.2", "fmt/[>=9.1 <11]"):
                self.requires(package, visible=False)

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.25 <4]")
        self.tool_requires("pkgconf/2.1.0")

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["VEMBED_BUILD_PROGRAM"] = bool(self.options.program)
        for part in ("TESTS", "EXAMPLES", "BENCH"):
            toolchain.cache_variables[f"VEMBED_BUILD_{part}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()
        PkgConfigDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "vembed")
        self.cpp_info.set_property("cmake_target_name", "vembed::package")
        library = self.cpp_info.components["vembed"]
        library.set_property("cmake_target_name", "vembed::vembed")
        library.libs = ["vembed", "vembed_asio_sources"]
        library.defines = ["BOOST_ASIO_SEPARATE_COMPILATION", "BOOST_BEAST_SEPARATE_COMPILATION"]
        library.requires = ["boost::headers", "boost::json", "boost::url", "eigen::eigen", "openssl::openssl",
                            "sqlite3::sqlite3", "zlib::zlib", "yaml-cpp::yaml-cpp", "zstd::zstd"]
        if self.settings.os == "Linux":
            library.system_libs = ["pthread"]
        testing = self.cpp_info.components["testing"]
        testing.set_property("cmake_target_name", "vembed::testing")
        testing.libs = ["vembed_testing"]
        testing.requires = ["vembed"]
