#include "tests/damage/cells.h"

#include <utility>

namespace varve::testing {
namespace {

constexpr uint32_t kDimension = 8;

FieldSpec Field(std::string name, IndexType index, ElementType element, Metric metric, uint32_t dimension) {
  FieldSpec field;
  field.name = std::move(name);
  field.dimension = dimension;
  field.metric = metric;
  field.element = element;
  field.index.type = index;
  if (index == IndexType::kHnsw) field.index.params["m"] = 4;
  return field;
}

Cell OneField(std::string name, IndexType index, ElementType element, Metric metric, uint32_t dimension = kDimension) {
  Cell cell;
  cell.name = std::move(name);
  cell.schema.fields.push_back(Field("vector", index, element, metric, dimension));
  return cell;
}

std::vector<Cell> MakeCells() {
  std::vector<Cell> cells;
  const auto add = [&cells](Cell cell) -> Cell& { return cells.emplace_back(std::move(cell)); };
  {
    Cell& cell = add(OneField("hnsw-f32-l2", IndexType::kHnsw, ElementType::kF32, Metric::kL2));
    cell.documents = cell.deletions = cell.golden = true;
  }
  {
    Cell& cell = add(OneField("hnsw-f16-cosine", IndexType::kHnsw, ElementType::kF16, Metric::kCosine));
    cell.expiry = cell.documents = true;
  }
  add(OneField("hnsw-bf16-ip", IndexType::kHnsw, ElementType::kBF16, Metric::kInnerProduct)).deletions = true;
  add(OneField("hnsw-i8-l1", IndexType::kHnsw, ElementType::kI8, Metric::kL1)).expiry = true;
  add(OneField("hnsw-bits-hamming", IndexType::kHnsw, ElementType::kBits, Metric::kHamming, 40)).golden = true;
  add(OneField("flat-u8-l2", IndexType::kFlat, ElementType::kU8, Metric::kL2)).deletions = true;
  {
    Cell& cell = add(OneField("flat-f32-cosine", IndexType::kFlat, ElementType::kF32, Metric::kCosine));
    cell.documents = cell.expiry = cell.golden = true;
  }
  {
    Cell& cell = add(OneField("fields", IndexType::kHnsw, ElementType::kF32, Metric::kL2));
    cell.schema.fields.push_back(Field("small", IndexType::kFlat, ElementType::kI8, Metric::kInnerProduct, 3));
    cell.schema.fields.push_back(Field("bits", IndexType::kHnsw, ElementType::kBits, Metric::kHamming, 16));
    cell.sparse_rows = cell.deletions = cell.golden = true;
  }
  {
    Cell& cell = add(OneField("logs", IndexType::kFlat, ElementType::kF32, Metric::kL2));
    cell.documents = cell.golden = true;
    cell.logs = 3;
  }
  {
    Cell& cell = add(OneField("killed", IndexType::kFlat, ElementType::kF32, Metric::kL2));
    cell.deletions = cell.golden = true;
    cell.logs = 2;
    cell.ending = Ending::kKilled;
  }
  {
    Cell& cell = add(OneField("killed-unsynced", IndexType::kFlat, ElementType::kU8, Metric::kL1));
    cell.sync = SyncMode::OnFlush();
    cell.pad_to = 4096;
    cell.ending = Ending::kKilled;
  }
  {
    Cell& cell = add(OneField("killed-in-load", IndexType::kHnsw, ElementType::kF32, Metric::kL2));
    cell.documents = true;
    cell.ending = Ending::kKilledInLoad;
  }
  {
    Cell& cell = add(OneField("backup", IndexType::kHnsw, ElementType::kF32, Metric::kInnerProduct));
    cell.deletions = cell.documents = true;
    cell.ending = Ending::kBackup;
  }
  add(OneField("empty", IndexType::kAuto, ElementType::kF32, Metric::kL2)).rows = 0;
  {
    // Several blocks of 64 KiB, so that a search may never touch the one that is damaged.
    Cell& cell = add(OneField("large", IndexType::kHnsw, ElementType::kF32, Metric::kL2, 48));
    cell.rows = 900;
    cell.documents = cell.deletions = true;
  }
  return cells;
}

}  // namespace

const std::vector<Cell>& Cells() {
  static const auto* const cells = new std::vector<Cell>(MakeCells());
  return *cells;
}

const Cell* FindCell(std::string_view name) {
  for (const Cell& cell : Cells()) {
    if (cell.name == name) return &cell;
  }
  return nullptr;
}

}  // namespace varve::testing
