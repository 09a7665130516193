# Configures, builds and runs the consumer project in SCRATCH, from the installed package or from the source tree.
cmake_minimum_required(VERSION 3.25)

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${output}\nfailed (${status}): ${command}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(arguments -S "${SOURCE}/tests/consumer/project" -B "${SCRATCH}/build" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
if(WAY STREQUAL "installed")
    run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")
    # The package must not lean on the build it came from.
    file(GLOB_RECURSE scripts "${SCRATCH}/prefix/*.cmake")
    foreach(script IN LISTS scripts)
        file(READ "${script}" text)
        foreach(place "${SOURCE}" "${BUILD}")
            string(FIND "${text}" "${place}" at)
            if(NOT at EQUAL -1)
                message(FATAL_ERROR "${script} names ${place}")
            endif()
        endforeach()
    endforeach()
    list(APPEND arguments "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix" "-DVEMBED_VERSION=${VERSION}"
        "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}")
else()
    # The whole library once more: several sources as one and hardly optimised, which takes a fraction of
    # the time.
    list(APPEND arguments "-DVEMBED_SOURCE=${SOURCE}" "-DVEMBED_WARNINGS_AS_ERRORS=${WARNINGS_AS_ERRORS}"
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DCMAKE_UNITY_BUILD=ON)
endif()
run("${CMAKE_COMMAND}" ${arguments})
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build" --parallel 2)
file(READ /proc/cpuinfo processor)
foreach(program consumer own_sources_partly own_sources matrix_plain matrix_avx2 matrix_avx512 matrix_dont_align
        matrix_no_alignment)
    if(program MATCHES "(avx[0-9]+)")
        set(needed "${CMAKE_MATCH_1}")
        if(NOT processor MATCHES "${needed}")
            continue()  # It is compiled and linked; this processor cannot run it.
        endif()
    endif()
    run("${SCRATCH}/build/${program}")
endforeach()

# The service is the installed program where there is one, as a user has it.
if(PROGRAM)
    if(WAY STREQUAL "installed")
        set(PROGRAM "${SCRATCH}/prefix/bin/vembed")
    endif()
    file(MAKE_DIRECTORY "${SCRATCH}/folders")
    run("${PYTHON}" -B "${SOURCE}/tests/consumer/run_with_service.py" "${PROGRAM}" --chunk-size 5 --settle-delay 30 --
        "${SCRATCH}/build/folders" "${SCRATCH}/folders")
endif()
message("${output}")
