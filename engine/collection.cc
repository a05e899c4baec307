// The public door: picks the implementation, and the conveniences that need none.
#include "varve/collection.h"

#include <utility>

#include "engine/collection_impl.h"

namespace varve {

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
