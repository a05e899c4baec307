// For the tests of verify and dump: a whole collection made by hand, in memory, closed cleanly.
#ifndef VARVE_ENGINE_ADMIN_COLLECTION_TEST_SUPPORT_H_
#define VARVE_ENGINE_ADMIN_COLLECTION_TEST_SUPPORT_H_

#include <memory>
#include <string>

#include "base/memory_file_system.h"
#include "engine/version/checkpoint.h"
#include "engine/version/manifest.h"
#include "engine/version/state_test_support.h"
#include "gtest/gtest.h"

namespace varve::testing {

// Segment 1 (keys a to e, of which b is dead in bitmap 2) and segment 3 (keys b and f); logs 4 and 5 of three deletes
// each, 5 closed; checkpoints 6 and 7, the second embedding the manifest in force.
class StoredCollectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    MakeDirectories(fs(), "/c");
    ASSERT_OK(PublishFile(fs(), "/c/LOCK", "pid 1"));
    manifest_ = EmptyManifest();
    ASSERT_OK_AND_ASSIGN(pb::SegmentEntry first, WriteTestSegment(fs(), "/c", 1, {"a", "b", "c", "d", "e"}, 1));
    ASSERT_OK(WriteTestBitmap(fs(), "/c", 2, {1}, &first));
    ASSERT_OK_AND_ASSIGN(const pb::SegmentEntry second, WriteTestSegment(fs(), "/c", 3, {"b", "f"}, 6));
    *manifest_.add_segments() = first;
    *manifest_.add_segments() = second;
    ASSERT_OK_AND_ASSIGN(first_log_, WriteTestLog(fs(), "/c", 4, 8, {"x", "y", "z"}));
    ASSERT_OK_AND_ASSIGN(newest_log_, WriteTestLog(fs(), "/c", 5, 11, {"x", "y", "z"}, first_log_));
    manifest_.set_total_vectors(6);
    manifest_.set_wal_sequence(7);
    manifest_.set_last_sequence(13);
    manifest_.set_durable_sequence(10);
    manifest_.set_durable_log(4);
    manifest_.set_durable_offset(first_log_.length);
    manifest_.mutable_closed_log()->set_number(5);
    manifest_.mutable_closed_log()->set_length(newest_log_.length);
    manifest_.mutable_closed_log()->set_last_sequence(newest_log_.last_sequence);
    Publish(1, 6);
    Publish(2, 7);
  }

  // Publishes manifest_ as this generation, behind a checkpoint of this number.
  void Publish(uint64_t generation, FileId checkpoint_id) {
    manifest_.set_generation(generation);
    manifest_.set_checkpoint_id(checkpoint_id);
    manifest_.set_next_file_id(checkpoint_id + 1);
    pb::Checkpoint checkpoint;
    *checkpoint.mutable_manifest() = manifest_;
    ASSERT_OK(WriteCheckpoint(fs(), "/c", checkpoint_id, checkpoint));
    ASSERT_OK(PublishManifest(fs(), "/c", manifest_).status);
  }
  std::string Read(const std::string& name) {
    auto bytes = ReadWholeFile(fs(), "/c/" + name, 16 << 20);
    EXPECT_OK(bytes);
    return bytes.ok() ? *bytes : std::string();
  }
  void Write(const std::string& name, const std::string& bytes) { ASSERT_OK(PublishFile(fs(), "/c/" + name, bytes)); }
  void Remove(const std::string& name) { ASSERT_OK(fs()->RemoveFile("/c/" + name)); }
  FileSystem* fs() { return fs_.get(); }

  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  pb::Manifest manifest_;
  LogEnd first_log_;
  LogEnd newest_log_;
};

}  // namespace varve::testing

#endif  // VARVE_ENGINE_ADMIN_COLLECTION_TEST_SUPPORT_H_
