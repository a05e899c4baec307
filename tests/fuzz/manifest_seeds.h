// Manifests for the seeds of those targets that hold one. A pure function.
#ifndef VARVE_TESTS_FUZZ_MANIFEST_SEEDS_H_
#define VARVE_TESTS_FUZZ_MANIFEST_SEEDS_H_

#include <vector>

#include "manifest.pb.h"

namespace varve::fuzz {

std::vector<pb::Manifest> SeedManifests();

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_MANIFEST_SEEDS_H_
