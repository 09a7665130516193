#pragma once
/// Where the account's quota ledger is, seen from the gate: in this process, or shared with others.

#include <concepts>
#include <memory>

#include <vembed/core/time.hpp>

#include "policy/quota/quota_ledger.hpp"

namespace vembed::admission {

/// What is to be done with the ledger: refers to a callable that outlives the call it is handed to.
class ledger_operation {
public:
    /// Made at the call whose parameter it is.
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

/// Every access of a gate to the ledger goes through update(). Used on one executor; what is behind it may be shared by
/// processes.
class ledger_access {
public:
    ledger_access() = default;
    ledger_access(const ledger_access&) = delete;
    ledger_access& operator=(const ledger_access&) = delete;
    virtual ~ledger_access() = default;

    /// Does `what`, once, to the ledger as it is now and lets nobody else change it meanwhile. The ledger's owner is
    /// the one that this access was made for. Where what is shared cannot be reached, the ledger as it was last known
    /// serves: this never fails.
    virtual void update(ledger_operation what) = 0;

    /// How often those who wait look again because others may change the ledger unseen; zero: nobody does.
    [[nodiscard]] virtual monotonic_clock::duration look_again_every() const noexcept {
        return monotonic_clock::duration::zero();
    }
};

/// A ledger of this process alone.
class local_ledger final : public ledger_access {
public:
    explicit local_ledger(policy::quota_ledger ledger) : ledger_(std::move(ledger)) {}
    void update(ledger_operation what) override { what(ledger_); }

private:
    policy::quota_ledger ledger_;
};

}  // namespace vembed::admission
