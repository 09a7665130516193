// The headers of other programs' matrices.

#include "folder/records/npy_input.hpp"

#include <gtest/gtest.h>

namespace vembed {
namespace {

std::string npy(const std::string& header, int version = 1) {
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    text += static_cast<char>(header.size() & 0xff);
    text += static_cast<char>(header.size() >> 8);
    text += version == 1 ? std::string() : std::string(2, '\0');
    return text + header;
}

TEST(NpyHeader, IsReadAsNumpyWritesIt) {
    const std::string plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }   \n";
    for (const int version : {1, 2, 3}) {
        const auto layout = folder::read_npy_layout(npy(plain, version) + "rows");
        ASSERT_TRUE(layout) << layout.error();
        EXPECT_EQ(layout->rows, 3U);
        EXPECT_EQ(layout->dimensions, 5U);
        EXPECT_EQ(layout->data_offset, plain.size() + (version == 1 ? 10 : 12));
    }
    EXPECT_TRUE(folder::read_npy_layout(npy("{\"shape\":(3,5),\"fortran_order\":False,\"descr\":\"<f4\"}")));
}

TEST(NpyHeader, AllElseIsRefused) {
    for (const char* header : {
             "",
             "{",
             "{}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), } x",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), 'more': 1}",
             "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f4', 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': False}",
             "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 5)}",
             "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5, 7)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 18446744073709551615)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 5)}",
         }) {
        const auto layout = folder::read_npy_layout(npy(header));
        ASSERT_FALSE(layout) << header;
        EXPECT_EQ(layout.error().kind, errc::bad_input) << header;
    }
    const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}");
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(folder::read_npy_layout(good.substr(0, size))) << size;
    }
    std::string version = good;
    version[6] = 4;
    EXPECT_FALSE(folder::read_npy_layout(version));
}

}  // namespace
}  // namespace vembed
