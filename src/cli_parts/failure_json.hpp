#pragma once
/// What --json prints for an error. Pure.

#include <vector>

#include <boost/describe/class.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/core/error.hpp>

namespace vembed {

BOOST_DESCRIBE_STRUCT(failed_chunk, (), (chunk_index, row_start, row_end, status))
BOOST_DESCRIBE_STRUCT(receipt_check, (), (name, passed))

namespace cli {

boost::json::object failure_object(const error& f);
boost::json::array failed_chunks_array(const std::vector<failed_chunk>& chunks);

}  // namespace cli
}  // namespace vembed
