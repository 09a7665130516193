#pragma once
/// All of vembed except vembed::testing.

#include <vembed/bulk/async_source.hpp>
#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/options.hpp>
#include <vembed/bulk/range_source.hpp>
#include <vembed/bulk/row_cache.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/bulk/source.hpp>
#include <vembed/client/attestation.hpp>
#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>
#include <vembed/client/options.hpp>
#include <vembed/core/failure.hpp>
#include <vembed/core/matrix.hpp>
#include <vembed/core/quota.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>
#include <vembed/verify/claim_check.hpp>
#include <vembed/verify/commitment.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>
