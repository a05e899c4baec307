#include "tests/fuzz/manifest_seeds.h"

#include <string>

#include "engine/version/schema_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr char kHex[] = "00112233445566778899aabbccddeeff";

pb::Manifest Empty() {
  Schema schema = Schema::SingleVector(4, Metric::kCosine);
  schema.fields[0].index.type = IndexType::kHnsw;
  schema.fields[0].index.params["m"] = 8;
  schema = Take(ValidateSchema(schema));
  pb::Manifest manifest;
  manifest.set_version(1);
  manifest.set_collection_uuid(kHex);
  manifest.set_log_secret(kHex);
  manifest.set_instance(kHex);
  manifest.set_generation(1);
  manifest.set_next_file_id(1);
  manifest.set_index_type(pb::HNSW);
  manifest.set_dimension(4);
  *manifest.mutable_config() = EncodeSchema(schema);
  return manifest;
}

pb::Manifest Filled() {
  pb::Manifest manifest = Empty();
  manifest.set_generation(9);
  manifest.set_next_file_id(9);
  manifest.set_last_sequence(40);
  manifest.set_wal_sequence(30);
  manifest.set_durable_sequence(35);
  manifest.set_durable_log(8);
  manifest.set_durable_offset(4096);
  manifest.set_clock_reading(1'700'000'000'000);
  pb::SegmentEntry* const segment = manifest.add_segments();
  segment->set_id(1);
  segment->set_index_type(pb::HNSW);
  segment->set_compression(pb::NONE);
  segment->set_rows(20);
  segment->set_live_rows(18);
  segment->set_bytes(9000);
  segment->set_footer_crc("0123abcd");
  segment->set_smallest_sequence(1);
  segment->set_largest_sequence(20);
  segment->mutable_bitmap()->set_file_id(2);
  segment->mutable_bitmap()->set_length(76);
  segment->mutable_bitmap()->set_crc("89abcdef");
  segment->mutable_bitmap()->set_dead(2);
  pb::SegmentEntry* const loaded = manifest.add_segments();
  *loaded = *segment;
  loaded->clear_bitmap();
  loaded->set_id(3);
  loaded->set_live_rows(20);
  loaded->set_ingest_sequence(21);
  loaded->set_smallest_sequence(21);
  loaded->set_largest_sequence(21);
  manifest.set_total_vectors(38);
  manifest.mutable_closed_log()->set_number(8);
  manifest.mutable_closed_log()->set_length(4096);
  manifest.mutable_closed_log()->set_last_sequence(40);
  return manifest;
}

}  // namespace

std::vector<pb::Manifest> SeedManifests() { return {Empty(), Filled()}; }

}  // namespace varve::fuzz
