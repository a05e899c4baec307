// Operations that are applied all or none. A value type; thread-compatible.
#ifndef VARVE_WRITE_BATCH_H_
#define VARVE_WRITE_BATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "varve/record.h"

namespace varve {

// What an Update changes; what is not given stays as it is.
struct RecordUpdate {
  std::string ns;
  std::string key;
  std::vector<NamedVector> vectors;
  std::optional<std::string> metadata;  // replaces the metadata (JSON object text; "" removes it)
  std::optional<std::string> patch;     // merged into the metadata (RFC 7396); not together with `metadata`
  std::optional<std::string> payload;
  std::optional<int64_t> ttl_seconds;  // from the time of the write
  bool clear_ttl = false;              // never expires any more
};

class WriteBatch {
 public:
  enum class Kind : uint8_t { kPut, kInsert, kUpdate, kDelete, kDeleteNamespace };

  // One operation. `record` holds put and insert, `update` holds update, and of the others ns and key.
  struct Operation {
    Kind kind = Kind::kPut;
    RecordInput record;
    RecordUpdate update;
    // The operation is carried out only if the key's live row has this sequence (0: only if there is none); else the
    // whole batch fails with Aborted.
    std::optional<Sequence> if_sequence;

    const std::string& ns() const { return kind == Kind::kUpdate ? update.ns : record.ns; }
    const std::string& key() const { return kind == Kind::kUpdate ? update.key : record.key; }
  };

  // Inserts the record or replaces the one with its key.
  void Put(RecordInput record, std::optional<Sequence> if_sequence = std::nullopt);
  // Inserts the record; the batch fails with AlreadyExists if the key has a live one.
  void Insert(RecordInput record, std::optional<Sequence> if_sequence = std::nullopt);
  // Changes parts of a record; the batch fails with NotFound if the key has none.
  void Update(RecordUpdate update, std::optional<Sequence> if_sequence = std::nullopt);
  // Deletes a record; deleting an absent key is no failure.
  void Delete(std::string ns, std::string key, std::optional<Sequence> if_sequence = std::nullopt);
  // Deletes every record of a namespace. Must be the only operation of its batch.
  void DeleteNamespace(std::string ns);

  void Clear() { operations_.clear(); }
  bool empty() const { return operations_.empty(); }
  size_t size() const { return operations_.size(); }
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  std::vector<Operation> operations_;
};

}  // namespace varve

#endif  // VARVE_WRITE_BATCH_H_
