# A module is a folder under src/, one object library, and the modules it may use. A module's sources see the public headers
# and the private headers of exactly the modules that its link edges reach: each module's folder is offered under its own
# include root, so that including a module that is not linked does not compile.

add_library(vembed_build_options INTERFACE)
target_compile_features(vembed_build_options INTERFACE cxx_std_20)
target_compile_options(vembed_build_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wcast-align
    $<$<BOOL:${VEMBED_WARNINGS_AS_ERRORS}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # gcc 12 sees overlapping copies in `"text" + std::to_string(n)` that are not there (GCC bug 105651), and, below -O3,
    # takes the memory of Asio's coroutine frames for that of another operator new.
    target_compile_options(vembed_build_options INTERFACE -Wno-restrict -Wno-mismatched-new-delete)
endif()
if(CMAKE_UNITY_BUILD)
    # Sources that are compiled as one see each other's names. A name that another source's hides is no fault, nor is a
    # coroutine whose frame holds a type of its own source. `./dev gcc` and `./dev clang` compile each source apart.
    target_compile_options(vembed_build_options INTERFACE -Wno-shadow)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(vembed_build_options INTERFACE -Wno-subobject-linkage)
    endif()
endif()
if(VEMBED_SANITIZE)
    target_compile_options(vembed_build_options INTERFACE -fsanitize=${VEMBED_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(vembed_build_options INTERFACE -fsanitize=${VEMBED_SANITIZE})
    if(VEMBED_SANITIZE MATCHES "undefined")
        target_compile_options(vembed_build_options INTERFACE -fno-sanitize-recover=undefined)
        if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
            # clang 14's function check misreads coroutine frames.
            target_compile_options(vembed_build_options INTERFACE -fno-sanitize=function)
            target_link_options(vembed_build_options INTERFACE -fno-sanitize=function)
        endif()
    endif()
endif()

set(VEMBED_MODULE_ROOTS "${PROJECT_BINARY_DIR}/modules")
set_property(GLOBAL PROPERTY VEMBED_MODULE_EDGES "")

# vembed_module(<name> SOURCES … [USES <modules>…] [LINKS <packages>…])
function(vembed_module name)
    cmake_parse_arguments(MODULE "" "" "SOURCES;USES;LINKS" ${ARGN})
    add_library(vembed_${name} OBJECT ${MODULE_SOURCES})
    set(root "${VEMBED_MODULE_ROOTS}/${name}")
    file(MAKE_DIRECTORY "${root}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/src/${name}" "${root}/${name}" SYMBOLIC)
    target_include_directories(vembed_${name} PUBLIC "${root}" "${PROJECT_SOURCE_DIR}/include")
    target_link_libraries(vembed_${name} PRIVATE vembed_build_options PUBLIC ${MODULE_LINKS})
    set(edges "${name}:")
    foreach(used IN LISTS MODULE_USES)
        target_link_libraries(vembed_${name} PUBLIC vembed_${used})
        string(APPEND edges " ${used}")
    endforeach()
    set_property(GLOBAL APPEND PROPERTY VEMBED_MODULE_EDGES "${edges}")
    set_target_properties(vembed_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# Writes the declared edges where the layering test reads them.
function(vembed_write_module_edges path)
    get_property(edges GLOBAL PROPERTY VEMBED_MODULE_EDGES)
    list(JOIN edges "\n" text)
    file(WRITE "${path}" "${text}\n")
endfunction()

# For what takes longer to compile than to run: not optimised. Fuzzing wants speed from all it runs.
function(vembed_compile_fast target)
    if(NOT VEMBED_SANITIZE MATCHES "fuzzer")
        target_compile_options(${target} PRIVATE -O0)
    endif()
endfunction()
