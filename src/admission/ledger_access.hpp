#pragma once
/// Access of the gate to the account's quota ledger, which is in this process or shared with others.

#include <concepts>
#include <memory>

#include <vembed/core/time.hpp>

#include "policy/quota/quota_ledger.hpp"

namespace vembed::admission {

/// An operation on the ledger: refers to a callable that outlives the call to which it is passed.
class ledger_operation {
public:
    /// Constructed in the call that takes it as a parameter.
    template <class F>
    requires(!std::same_as<F, ledger_operation>)
        // NOLINTNEXTLINE(google-explicit-constructor)
        ledger_operation(const F& what)
    noexcept
        : object_(std::addressof(what)),
          call_([](const void* object, policy::quota_ledger& ledger) { (*static_cast<const F*>(object))(ledger); }) {}

    void operator()(policy::quota_ledger& ledger) const { call_(object_, ledger); }

private:
    const void* object_;
    void (*call_)(const void*, policy::quota_ledger&);
};

/// Every access of a gate to the ledger goes through update(). Used on one executor; the ledger behind it may be shared
/// by processes.
class ledger_access {
public:
    ledger_access() = default;
    ledger_access(const ledger_access&) = delete;
    ledger_access& operator=(const ledger_access&) = delete;
    virtual ~ledger_access() = default;

    /// Does `what` once to the ledger's present state, and nobody else changes the ledger meanwhile. The ledger's owner
    /// is the one for which this access was made. If the shared ledger cannot be reached, the last known state is used:
    /// this never fails.
    virtual void update(ledger_operation what) = 0;

    /// How often waiters look again because other processes may change the ledger unseen; zero: never.
    [[nodiscard]] virtual monotonic_clock::duration look_again_every() const noexcept {
        return monotonic_clock::duration::zero();
    }
};

/// The ledger of one process.
class local_ledger final : public ledger_access {
public:
    explicit local_ledger(policy::quota_ledger ledger) : ledger_(std::move(ledger)) {}
    void update(ledger_operation what) override { what(ledger_); }

private:
    policy::quota_ledger ledger_;
};

}  // namespace vembed::admission
