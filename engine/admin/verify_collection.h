// verify: a whole collection.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_COLLECTION_H_
#define VARVE_ENGINE_ADMIN_VERIFY_COLLECTION_H_

#include "absl/status/status.h"
#include "engine/admin/verify_run.h"

namespace varve {

// One pass over run->directory(). Errors: FailedPrecondition if it is no collection; failures to read that are no
// damage.
absl::Status VerifyCollection(VerifyRun* run);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_COLLECTION_H_
