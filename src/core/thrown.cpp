#include "core/thrown.hpp"

#include <exception>
#include <new>
#include <string>

namespace vembed {

error thrown_failure(std::string_view who) {
    const std::string thrower(who);
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return {errc::out_of_memory, "there was not enough memory for " + thrower};
    } catch (const std::exception& e) {
        return {errc::callback_failed, thrower + " threw: " + e.what()};
    } catch (...) {
        return {errc::callback_failed, thrower + " threw something that is not a std::exception"};
    }
}

}  // namespace vembed
