#include "index/hnsw/graph_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/status.h"
#include "base/thread_pool.h"
#include "index/hnsw/beam_search.h"
#include "index/hnsw/reachability.h"

namespace varve::hnsw {
namespace {

// A batch is at most a fiftieth of all nodes, and a part of the graph that it searches: the members of one batch do not
// see each other, and more of them would cost recall.
constexpr uint32_t kBatchesOfAll = 50;
constexpr uint32_t kBatchesOfGraph = 8;
// Ranges of targets whose edges are sorted and added at once; not fewer than threads.
constexpr size_t kBuckets = 256;
constexpr size_t kNodesPerPiece = 16;  // inserted by a thread before it takes more
constexpr size_t kRowsPerPiece = 1024;
constexpr size_t kMinNodesPerThread = 64;  // below, starting a thread costs more than it brings

// How many are inserted next. `inserted` counts only what this builder has inserted, even where it adds to a large
// graph: what is new may lie far from all that is old, and is then a graph of its own at first.
size_t BatchSize(size_t inserted, uint32_t all) {
  return std::max<size_t>(1, std::min<size_t>(inserted / kBatchesOfGraph, all / kBatchesOfAll));
}

// One level of the growing graph as BeamSearch sees it: distances to a node that is being inserted.
class LevelSpace {
 public:
  LevelSpace(const LinkTable& table, const BuildVectors& vectors, uint32_t node)
      : table_(table), vectors_(vectors), node_(node) {}

  uint32_t row_width() const { return table_.capacity(); }
  uint32_t node_count() const { return table_.nodes(); }
  const uint32_t* Row(uint32_t node) const { return table_.Row(node); }
  void PrefetchRow(uint32_t node) const { __builtin_prefetch(table_.Row(node)); }
  void Prefetch(uint32_t node) const { vectors_.Prefetch(node); }
  bool Compute(const uint32_t* nodes, size_t count, float* distances) const {
    vectors_.Distances(node_, nodes, count, distances);
    return true;
  }
  void BadNeighbor(uint32_t /*node*/, uint32_t /*place*/) const { VARVE_CHECK(false); }

 private:
  const LinkTable& table_;
  const BuildVectors& vectors_;
  const uint32_t node_;
};

// Moves from `*nearest` to ever nearer neighbours on one level. What it sees enters the pool.
void Descend(LevelSpace* space, CandidatePool* pool, VisitedSet* visited, Candidate* nearest) {
  uint32_t fresh[kMaxFresh];
  float distances[kMaxFresh];
  for (bool moved = true; moved;) {
    moved = false;
    size_t count = 0;
    VARVE_CHECK(AppendFresh(space, nearest->node, visited, fresh, &count));
    space->Compute(fresh, count, distances);
    for (size_t i = 0; i < count; ++i) {
      if (distances[i] < pool->bound()) pool->Insert(distances[i], fresh[i]);
      if (distances[i] < nearest->distance) {
        *nearest = {distances[i], fresh[i]};
        moved = true;
      }
    }
  }
}

}  // namespace

struct GraphBuilder::Worker {
  CandidatePool pool;
  VisitedSet visited;
  SearchWork work;
  std::vector<Candidate> candidates;
  std::vector<Candidate> chosen;
};

struct GraphBuilder::Edge {
  uint32_t target;
  Candidate link;  // what the target gets

  friend bool operator<(const Edge& a, const Edge& b) {
    return a.target != b.target ? a.target < b.target : a.link.node < b.link.node;
  }
};

GraphBuilder::GraphBuilder(const SlotSource& slots, InsertionOrder order, uint32_t m, uint32_t ef_construction,
                           const BuildContext& context)
    : ef_construction_(std::max(ef_construction, m)),
      context_(context),
      graph_{std::move(order), {}},
      vectors_(slots, graph_.order.slots),
      buckets_(kBuckets) {
  graph_.levels.push_back(std::make_unique<LinkTable>(slots.count(), 2 * m));
  for (const uint32_t members : graph_.order.member_counts) {
    graph_.levels.push_back(std::make_unique<LinkTable>(members, m));
  }
  for (int i = 0; i < std::max(context.threads, 1); ++i) workers_.push_back(std::make_unique<Worker>());
}

GraphBuilder::~GraphBuilder() = default;

uint64_t GraphBuilder::EstimateBytes(uint64_t slot_count, uint32_t m) {
  // Order and its sorting, addresses and norms, nodes to insert, the repair's parents; rows; a batch's edges.
  constexpr uint64_t kOtherBytesPerNode = 52;
  const uint64_t upper = slot_count / (m - 1) + 1;
  return slot_count * (kOtherBytesPerNode + LinkTable::BytesPerNode(2 * m)) + upper * LinkTable::BytesPerNode(m) +
         slot_count / kBatchesOfAll * 2 * m * sizeof(Edge);
}

bool GraphBuilder::cancelled() const { return context_.cancellation != nullptr && context_.cancellation->cancelled(); }

int GraphBuilder::WorkersFor(size_t nodes) const {
  return static_cast<int>(std::clamp<size_t>(nodes / kMinNodesPerThread, 1, workers_.size()));
}

absl::Status GraphBuilder::Build() {
  std::vector<uint32_t> missing(vectors_.count() > 0 ? vectors_.count() - 1 : 0);
  std::iota(missing.begin(), missing.end(), 1u);
  return AddTo(missing);
}

absl::Status GraphBuilder::AddTo(absl::Span<const uint32_t> missing) {
  const uint32_t count = vectors_.count();
  VARVE_CHECK(count == 0 || missing.size() < count);
  while (entry_ < missing.size() && missing[entry_] == entry_) ++entry_;
  linked_bound_ = missing.size() + 1 < count ? count : entry_ + 1;
  inserted_ = count - missing.size();
  for (size_t done = 0; done < missing.size();) {
    // The first comes alone: it may be on a higher level than the graph, and then searches begin with it.
    const size_t size = std::min(BatchSize(done + 1, count), missing.size() - done);
    RETURN_IF_ERROR(InsertBatch(missing.subspan(done, size)));
    done += size;
    entry_ = std::min(entry_, missing[0]);
    linked_bound_ = std::max(linked_bound_, missing[done - 1] + 1);
  }
  return Finish();
}

absl::Status GraphBuilder::BuildByPartitions(const LeafSettings& settings) {
  const uint32_t count = vectors_.count();
  linked_bound_ = count;
  std::vector<uint32_t> nodes(count);
  std::iota(nodes.begin(), nodes.end(), 0u);
  const size_t batch = std::max<size_t>(1, count / kBatchesOfAll);
  for (uint32_t level = static_cast<uint32_t>(graph_.levels.size()); level-- > 0;) {
    std::function<void(uint64_t)> progress;
    if (level == 0 && context_.progress) {
      progress = [&](uint64_t linked) { context_.progress(linked, count); };
    }
    LinkByPartitions(vectors_, settings, context_.seed, static_cast<int>(workers_.size()), context_.cancellation,
                     progress, graph_.levels[level].get());
    const auto members = absl::MakeConstSpan(nodes).first(graph_.levels[level]->nodes());
    for (size_t from = 0; from < members.size(); from += batch) {
      if (cancelled()) return Cancelled("HNSW build");
      LinkBack(level, members.subspan(from, batch));
    }
  }
  return Finish();
}

absl::Status GraphBuilder::Finish() {
  const uint32_t count = vectors_.count();
  for (const auto& table : graph_.levels) {
    FinishRows(table.get());
    if (cancelled()) return Cancelled("HNSW build");
  }
  ConnectUnreachable(vectors_, graph_.levels[0].get());
  if (context_.progress) context_.progress(count, count);
  return absl::OkStatus();
}

absl::Status GraphBuilder::InsertBatch(absl::Span<const uint32_t> batch) {
  ParallelFor(WorkersFor(batch.size()), batch.size(), kNodesPerPiece, [&](int worker, size_t from, size_t to) {
    for (size_t i = from; i < to && !cancelled(); ++i) {
      InsertNode(batch[i], workers_[static_cast<size_t>(worker)].get());
    }
    const uint64_t inserted = inserted_.fetch_add(to - from, std::memory_order_relaxed) + (to - from);
    if (worker == 0 && context_.progress) context_.progress(inserted, vectors_.count());
  });
  if (cancelled()) return Cancelled("HNSW build");
  for (uint32_t level = 0; level < graph_.levels.size(); ++level) {
    const auto end = std::lower_bound(batch.begin(), batch.end(), graph_.levels[level]->nodes());
    LinkBack(level, batch.first(static_cast<size_t>(end - batch.begin())));
  }
  return absl::OkStatus();
}

void GraphBuilder::InsertNode(uint32_t node, Worker* worker) {
  CandidatePool& pool = worker->pool;
  pool.Reset(ef_construction_);
  worker->visited.Reset(linked_bound_);
  worker->visited.Insert(entry_);
  Candidate nearest = {vectors_.Distance(node, entry_), entry_};
  pool.Insert(nearest.distance, nearest.node);

  const auto pair_distance = [this](uint32_t a, uint32_t b) { return vectors_.Distance(a, b); };
  const uint32_t top = graph_.order.LevelOf(entry_);
  const uint32_t node_level = std::min(graph_.order.LevelOf(node), top);
  for (uint32_t level = top; level > node_level; --level) {
    LevelSpace space(*graph_.levels[level], vectors_, node);
    Descend(&space, &pool, &worker->visited, &nearest);
  }
  for (uint32_t level = node_level + 1; level-- > 0;) {
    LevelSpace space(*graph_.levels[level], vectors_, node);
    // What was found above is where this level begins; what was seen above and dropped is too far here too.
    pool.Reopen();
    VARVE_CHECK(BeamSearch(&space, &pool, &worker->visited, &worker->work, [](float, uint32_t) {}));
    worker->candidates.clear();
    for (size_t i = 0; i < pool.size(); ++i) worker->candidates.push_back({pool.distance(i), pool.node(i)});
    SelectDiverse(worker->candidates, graph_.levels[0]->limit() / 2, pair_distance, &worker->chosen);
    graph_.levels[level]->Assign(node, worker->chosen);
  }
}

void GraphBuilder::LinkBack(uint32_t level, absl::Span<const uint32_t> batch) {
  if (batch.empty()) return;
  LinkTable* table = graph_.levels[level].get();
  for (std::vector<Edge>& bucket : buckets_) bucket.clear();
  for (const uint32_t node : batch) {
    for (size_t i = 0; i < table->size(node); ++i) {
      const Candidate link = table->link(node, i);
      buckets_[uint64_t{link.node} * kBuckets / linked_bound_].push_back({link.node, {link.distance, node}});
    }
  }
  ParallelFor(WorkersFor(batch.size()), kBuckets, 1, [&](int worker, size_t from, size_t to) {
    for (size_t b = from; b < to; ++b) {
      std::vector<Edge>& edges = buckets_[b];
      std::sort(edges.begin(), edges.end());
      for (size_t begin = 0; begin < edges.size();) {
        size_t end = begin;
        while (end < edges.size() && edges[end].target == edges[begin].target) ++end;
        AddLinks(table, &edges[begin], end - begin, workers_[static_cast<size_t>(worker)].get());
        begin = end;
      }
    }
  });
}

void GraphBuilder::AddLinks(LinkTable* table, const Edge* edges, size_t count, Worker* worker) {
  const uint32_t target = edges[0].target;
  const uint32_t* row = table->Row(target);
  const size_t size = table->size(target);
  worker->candidates.clear();
  for (size_t i = 0; i < count; ++i) {
    if (std::find(row, row + size, edges[i].link.node) == row + size) worker->candidates.push_back(edges[i].link);
  }
  if (size + worker->candidates.size() <= table->capacity()) {
    for (const Candidate& link : worker->candidates) table->Append(target, link);
    return;
  }
  for (size_t i = 0; i < size; ++i) worker->candidates.push_back(table->link(target, i));
  std::sort(worker->candidates.begin(), worker->candidates.end());
  SelectDiverse(
      worker->candidates, table->limit(), [this](uint32_t a, uint32_t b) { return vectors_.Distance(a, b); },
      &worker->chosen);
  table->Assign(target, worker->chosen);
}

void GraphBuilder::FinishRows(LinkTable* table) {
  ParallelFor(WorkersFor(table->nodes()), table->nodes(), kRowsPerPiece, [&](int index, size_t from, size_t to) {
    Worker* worker = workers_[static_cast<size_t>(index)].get();
    for (uint32_t node = static_cast<uint32_t>(from); node < to && !cancelled(); ++node) {
      worker->candidates.clear();
      for (size_t i = 0; i < table->size(node); ++i) worker->candidates.push_back(table->link(node, i));
      std::sort(worker->candidates.begin(), worker->candidates.end());
      if (worker->candidates.size() > table->limit()) {
        SelectDiverse(
            worker->candidates, table->limit(), [this](uint32_t a, uint32_t b) { return vectors_.Distance(a, b); },
            &worker->chosen);
        table->Assign(node, worker->chosen);
      } else {
        table->Assign(node, worker->candidates);
      }
    }
  });
}

}  // namespace varve::hnsw
