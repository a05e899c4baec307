// The public door: picks the implementation, and the conveniences that need none.
#include "varve/collection.h"

#include <utility>

#include "base/status.h"
#include "engine/collection_impl.h"
#include "engine/search/scan_cursor.h"

namespace varve {
namespace {

constexpr uint64_t kDefaultPageRecords = 1000;

}  // namespace

absl::StatusOr<std::unique_ptr<Collection>> Collection::Create(const std::string& directory, const Schema& schema,
                                                               const Options& options) {
  return WritableCollection::Create(directory, schema, options);
}

absl::StatusOr<std::unique_ptr<Collection>> Collection::Open(const std::string& directory, const Options& options) {
  return WritableCollection::Open(directory, options);
}

absl::StatusOr<std::unique_ptr<Collection>> Collection::OpenReadOnly(const std::string& directory,
                                                                     const ReadOnlyOptions& options) {
  return ReadOnlyCollection::Open(directory, options);
}

absl::StatusOr<ScanPage> Collection::ReadPage(const ScanRequest& request, const ReadOptions& options) {
  ScanRequest one_more = request;
  const uint64_t limit = request.limit != 0 ? request.limit : kDefaultPageRecords;
  one_more.limit = limit + 1;  // tells whether there is another page
  ScanPage page;
  bool more = false;
  RETURN_IF_ERROR(Scan(
      one_more,
      [&](const Record& record) {
        more = page.records.size() == limit;
        if (!more) page.records.push_back(record);
        return !more;
      },
      options));
  if (more) page.cursor = EncodeScanCursor(request, {page.records.back().ns, page.records.back().key});
  return page;
}

absl::Status Collection::Put(RecordInput record, const WriteOptions& options) {
  WriteBatch batch;
  batch.Put(std::move(record));
  return Write(batch, options);
}

absl::Status Collection::Insert(RecordInput record, const WriteOptions& options) {
  WriteBatch batch;
  batch.Insert(std::move(record));
  return Write(batch, options);
}

absl::Status Collection::Update(RecordUpdate update, const WriteOptions& options) {
  WriteBatch batch;
  batch.Update(std::move(update));
  return Write(batch, options);
}

absl::Status Collection::Delete(std::string ns, std::string key, const WriteOptions& options) {
  WriteBatch batch;
  batch.Delete(std::move(ns), std::move(key));
  return Write(batch, options);
}

}  // namespace varve
