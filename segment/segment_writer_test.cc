#include "segment/segment_writer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "segment/segment.h"
#include "tests/support/sample_segment.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::StatusIs;

const std::string kWrittenPath = "/0000000001.vcnt";

// A file that fails at a byte, or when it is synced.
class FailingFile final : public WritableFile {
 public:
  FailingFile(std::unique_ptr<WritableFile> file, uint64_t fail_at) : file_(std::move(file)), fail_at_(fail_at) {}
  WriteResult Append(std::string_view data) override {
    if (Size() + data.size() > fail_at_) return {absl::ResourceExhaustedError("disk full"), 0};
    return file_->Append(data);
  }
  WriteResult WriteAt(uint64_t offset, std::string_view data) override { return file_->WriteAt(offset, data); }
  absl::Status Preallocate(uint64_t length) override { return file_->Preallocate(length); }
  absl::Status Truncate(uint64_t length) override { return file_->Truncate(length); }
  absl::Status Sync() override { return Size() == fail_at_ ? absl::InternalError("fdatasync failed") : file_->Sync(); }
  absl::Status Close() override { return file_->Close(); }
  uint64_t Size() const override { return file_->Size(); }

 private:
  const std::unique_ptr<WritableFile> file_;
  const uint64_t fail_at_;
};

// A memory file system whose files fail at byte `fail_at`.
class FailingFileSystem final : public FileSystem {
 public:
  explicit FailingFileSystem(uint64_t fail_at) : fail_at_(fail_at) {}
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    auto file = fs_->CreateFile(path);
    if (!file.ok()) return file;
    return std::unique_ptr<WritableFile>(std::make_unique<FailingFile>(*std::move(file), fail_at_));
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return fs_->OpenForAppend(path);
  }
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    return fs_->OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    return fs_->Map(path, copy);
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return fs_->Stat(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override { return fs_->List(directory); }
  absl::Status CreateDirectory(const std::string& path) override { return fs_->CreateDirectory(path); }
  absl::Status RemoveDirectory(const std::string& path) override { return fs_->RemoveDirectory(path); }
  absl::Status RemoveFile(const std::string& path) override { return fs_->RemoveFile(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override { return fs_->Rename(from, to); }
  absl::Status Link(const std::string& from, const std::string& to) override { return fs_->Link(from, to); }
  absl::Status SyncDirectory(const std::string& directory) override { return fs_->SyncDirectory(directory); }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    return fs_->Lock(path, note);
  }
  absl::StatusOr<bool> IsLocked(const std::string& path) override { return fs_->IsLocked(path); }

 private:
  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  const uint64_t fail_at_;
};

class SegmentWriting : public ::testing::Test {
 protected:
  SegmentWriting() {
    pb::Field* field = options_.schema.add_fields();
    field->set_id(1);
    field->set_kind(pb::DENSE);
    field->set_element(pb::F32);
    field->set_dimension(1);
    field_.id = 1;
    field_.dimension = 1;
  }
  std::unique_ptr<SegmentWriter> Create() {
    auto writer = SegmentWriter::Create(fs_.get(), kWrittenPath, options_);
    EXPECT_OK(writer);
    return *std::move(writer);
  }
  static SegmentRow Row(std::string_view key) {
    SegmentRow row;
    row.key = key;
    return row;
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  SegmentWriterOptions options_;
  SegmentField field_;
};

TEST_F(SegmentWriting, RefusesRowsOutOfOrder) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("b")));

  EXPECT_THAT(writer->AddRow(Row("b")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_THAT(writer->AddRow(Row("a")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_THAT(writer->AddRow(Row("")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key")));
}

TEST_F(SegmentWriting, AsksBeforeItWritesAnyByte) {
  uint64_t asked = 0;
  absl::Status answer;
  options_.before_write = [&](uint64_t bytes) {
    asked += bytes;
    return answer;
  };
  const std::string payload(3000, 'p');
  const auto write = [&]() -> absl::StatusOr<FinishedSegment> {
    const std::unique_ptr<SegmentWriter> writer = Create();
    for (int i = 100; i < 600; ++i) {
      const std::string key = std::to_string(i);
      SegmentRow row = Row(key);
      row.payload = payload;
      RETURN_IF_ERROR(writer->AddRow(row));
    }
    return writer->Finish();
  };
  ASSERT_OK_AND_ASSIGN(const FinishedSegment finished, write());
  EXPECT_EQ(asked, finished.bytes);
  ASSERT_OK(fs_->RemoveFile(kWrittenPath));
  answer = absl::CancelledError("enough");
  EXPECT_THAT(write(), StatusIs(absl::StatusCode::kCancelled, HasSubstr("enough")));
  EXPECT_THAT(*fs_->List("/"), IsEmpty());
}

TEST_F(SegmentWriting, ARefusedRowLeavesNoTrace) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("a")));
  SegmentRow refused = Row("b");
  const std::string metadata(kMaxMetadataBytes + 1, ' ');
  refused.metadata = metadata;
  EXPECT_THAT(writer->AddRow(refused), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata")));
  ASSERT_OK(writer->AddRow(Row("b")));

  ASSERT_OK_AND_ASSIGN(const FinishedSegment finished, writer->Finish());

  EXPECT_EQ(finished.rows, 2u);
  ASSERT_OK_AND_ASSIGN(const auto segment,
                       Segment::Open(fs_.get(), kWrittenPath, std::nullopt, VerifyChecksums::kAtOpen, IoMode::kMapped));
  EXPECT_EQ(segment->KeyOf(1)->key, "b");
}

TEST_F(SegmentWriting, RefusesFieldsThatMakeNoSense) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("a")));
  ASSERT_OK(writer->AddRow(Row("b")));
  const auto expect_refused = [&writer](const SegmentField& field, uint64_t slots, const std::vector<RowId>& slot_rows,
                                        const std::string& what) {
    EXPECT_THAT(writer->BeginField(field, slots, slot_rows),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  SegmentField unknown = field_;
  unknown.id = 2;
  SegmentField undecided = field_;
  undecided.index_type = IndexType::kAuto;

  expect_refused(unknown, 2, {}, "schema");
  expect_refused(undecided, 2, {}, "definite");
  expect_refused(field_, 1, {}, "1 slots");
  expect_refused(field_, 3, {0, 1}, "3 slots");
  expect_refused(field_, 2, {1, 0}, "ascend");
  expect_refused(field_, 2, {1, 2}, "rows of the segment");
  EXPECT_OK(writer->BeginField(field_, 2, {}));
  expect_refused(field_, 2, {}, "already");
}

TEST_F(SegmentWriting, RefusesCallsOutOfOrder) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  const std::string bytes(4, '\0');
  ASSERT_OK(writer->AddRow(Row("a")));
  EXPECT_THAT(writer->BeginSection(SectionKind::kVectors, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("field")));
  ASSERT_OK(writer->BeginField(field_, 1, {}));
  EXPECT_THAT(writer->AddRow(Row("b")), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("before")));
  EXPECT_THAT(writer->Append(AsBytes(bytes)), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("section")));
  EXPECT_THAT(writer->BeginSection(SectionKind::kIds, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("IDS")));
  ASSERT_OK(writer->BeginSection(SectionKind::kVectors, {}));
  ASSERT_OK(writer->Append(AsBytes(bytes)));
  EXPECT_THAT(writer->BeginSection(SectionKind::kVectors, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("already")));
  ASSERT_OK(writer->Finish());
  EXPECT_THAT(writer->Finish(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("finished")));
  EXPECT_THAT(writer->Append(AsBytes(bytes)), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("section")));
}

TEST_F(SegmentWriting, LeavesOutAMapThatSaysNothing) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("a")));
  ASSERT_OK(writer->AddRow(Row("b")));
  ASSERT_OK(writer->BeginField(field_, 2, std::vector<RowId>{0, 1}));
  ASSERT_OK(writer->Finish());

  ASSERT_OK_AND_ASSIGN(const auto segment,
                       Segment::Open(fs_.get(), kWrittenPath, std::nullopt, VerifyChecksums::kAtOpen, IoMode::kMapped));
  EXPECT_TRUE(segment->SlotRows(1)->empty());
  EXPECT_FALSE(segment->FieldSections(1).Find(SectionKind::kSlotRows).present());
}

TEST_F(SegmentWriting, TheFileAppearsOnlyWhenItIsFinished) {
  std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("a")));
  EXPECT_THAT(fs_->Stat(kWrittenPath), StatusIs(absl::StatusCode::kNotFound, HasSubstr(kWrittenPath)));

  ASSERT_OK(writer->Finish());
  EXPECT_OK(fs_->Stat(kWrittenPath));
  writer.reset();

  EXPECT_THAT(*fs_->List("/"), ::testing::ElementsAre("0000000001.vcnt"));
}

TEST_F(SegmentWriting, AnAbandonedWriterRemovesWhatItWrote) {
  std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->AddRow(Row("a")));
  writer.reset();

  EXPECT_THAT(*fs_->List("/"), IsEmpty());
}

// The quantiser's identity is its checksum, which the manifest compares between segments.
TEST_F(SegmentWriting, KnowsTheChecksumOfAQuantizer) {
  const std::unique_ptr<SegmentWriter> writer = Create();
  ASSERT_OK(writer->BeginField(field_, 0, {}));
  ASSERT_OK(writer->BeginSection(SectionKind::kQuantizer, {{"epoch", 3}}));
  ASSERT_OK(writer->Append(AsBytes("trained ")));
  ASSERT_OK(writer->Append(AsBytes("state")));
  ASSERT_OK(writer->Finish());

  ASSERT_OK_AND_ASSIGN(const auto segment,
                       Segment::Open(fs_.get(), kWrittenPath, std::nullopt, VerifyChecksums::kAtOpen, IoMode::kMapped));
  bool found = false;
  for (const pb::Section& section : segment->header().sections()) {
    if (section.kind() != pb::QUANTIZER) continue;
    found = true;
    EXPECT_EQ(Crc32c{section.crc()}, ComputeCrc32c("trained state"));
  }
  EXPECT_TRUE(found);
}

TEST(SegmentWriter, ReportsAFailedWriteAndLeavesNothing) {
  const testing::SampleSegment sample = testing::MakeSample(1, {});
  FailingFileSystem measured(~uint64_t{0});
  ASSERT_OK_AND_ASSIGN(const FinishedSegment whole, WriteSample(&measured, kWrittenPath, sample));

  for (const uint64_t fail_at : {uint64_t{0}, uint64_t{63}, uint64_t{10'000}, whole.bytes - 1, whole.bytes}) {
    FailingFileSystem fs(fail_at);
    const auto finished = WriteSample(&fs, kWrittenPath, sample);
    EXPECT_THAT(finished,
                StatusIs(fail_at == whole.bytes ? absl::StatusCode::kInternal : absl::StatusCode::kResourceExhausted,
                         ::testing::_));
    EXPECT_THAT(*fs.List("/"), IsEmpty()) << fail_at;
  }
}

}  // namespace
}  // namespace varve
