// manifest.json: what is accepted is encoded again and decodes to the same; its schema is read too.
#include <string>

#include "engine/version/manifest.h"
#include "engine/version/schema_codec.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/manifest_seeds.h"

namespace varve::fuzz {
namespace {

void RunManifest(std::string_view input) {
  const absl::StatusOr<pb::Manifest> manifest = DecodeManifest(input, "manifest.json");
  if (!manifest.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(manifest.status()) || absl::IsUnimplemented(manifest.status()));
    return;
  }
  const absl::StatusOr<std::string> encoded = EncodeManifest(*manifest);
  FUZZ_CHECK_OK(encoded);
  const absl::StatusOr<pb::Manifest> again = DecodeManifest(*encoded, "manifest.json");
  FUZZ_CHECK_OK(again);
  FUZZ_CHECK(again->SerializeAsString() == manifest->SerializeAsString());

  const absl::StatusOr<Schema> schema = DecodeSchema(manifest->config(), "manifest.json");
  if (!schema.ok()) return;
  FUZZ_CHECK_OK(DecodeSchema(EncodeSchema(*schema), "manifest.json"));
  FUZZ_CHECK_OK(ValidateSchema(*schema));
}

std::vector<std::string> ManifestSeeds() {
  std::vector<std::string> seeds;
  for (const pb::Manifest& manifest : SeedManifests()) seeds.push_back(Take(EncodeManifest(manifest)));
  return seeds;
}

}  // namespace

FuzzTarget ManifestTarget() {
  FuzzTarget target{.name = "manifest", .run = RunManifest, .seeds = ManifestSeeds, .repair = RepairManifest};
  target.words = {"\"features_to_read\":",
                  "\"version\":",
                  "\"segments\":[",
                  "\"closed_log\":{",
                  "\"attachments\":[",
                  "18446744073709551615",
                  "4611686018427387904",
                  "-1",
                  "1e30",
                  "NaN",
                  "\\u0000",
                  "null"};
  return target;
}

}  // namespace varve::fuzz
