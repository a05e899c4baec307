#include "varve/crash_disk.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/crash_plan.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/status.h"

namespace varve {
namespace {

// Up to so many pieces every subset is a state.
constexpr size_t kMaxExhaustive = 8;

std::optional<uint64_t> ParseNumber(std::string_view text, int base = 10) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::pair<std::string_view, std::string_view> SplitAt(std::string_view text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

// The flags behind the subset. False for one that there is not.
bool ParseFlags(std::string_view flags, CrashChoice* choice) {
  while (!flags.empty()) {
    const auto [flag, rest] = SplitAt(flags, '/');
    const auto [word, seed] = SplitAt(flag, ':');
    flags = rest;
    if (word == "512") {
      choice->sectors = true;
    } else if (word == "zeros") {
      choice->zeros = true;
    } else if (word == "stale") {
      choice->stale = ParseNumber(seed);
      if (!choice->stale.has_value()) return false;
    } else if (word == "beside") {
      choice->beside = ParseNumber(seed);
      if (!choice->beside.has_value()) return false;
    } else {
      return false;
    }
  }
  return true;
}

// `kept` has its length already.
bool ParseSubset(std::string_view subset, std::vector<bool>* kept) {
  const auto [word, numbers] = SplitAt(subset, ':');
  const size_t count = kept->size();
  const auto set = [&](auto is_kept) {
    for (size_t i = 0; i < count; ++i) (*kept)[i] = is_kept(i);
    return true;
  };
  if (numbers.empty()) {
    if (word != "none" && word != "all") return false;
    return set([&](size_t) { return word == "all"; });
  }
  if (word == "without") {
    const auto [a, b] = SplitAt(numbers, ':');
    const std::optional<uint64_t> lost = ParseNumber(a);
    const std::optional<uint64_t> last = ParseNumber(b);
    if (!lost.has_value() || !last.has_value() || *last >= count) return false;
    return set([&](size_t i) { return i <= *last && i != *lost; });
  }
  const std::optional<uint64_t> number = ParseNumber(numbers, word == "bits" ? 16 : 10);
  if (!number.has_value()) return false;
  if (word == "first") return *number <= count && set([&](size_t i) { return i < *number; });
  if (word == "but") return *number < count && set([&](size_t i) { return i != *number; });
  if (word == "only") return *number < count && set([&](size_t i) { return i == *number; });
  if (word == "bits") return count <= 64 && set([&](size_t i) { return ((*number >> i) & 1) != 0; });
  if (word != "random") return false;
  // Some disks keep most, some lose most.
  Random random(*number);
  const uint64_t share = 1 + random.Below(7);
  return set([&](size_t) { return random.Below(8) < share; });
}

void HashBytes(std::string_view bytes, uint64_t* hash) {
  *hash = Mix64(*hash ^ bytes.size());
  for (size_t i = 0; i < bytes.size(); i += 8) {
    uint64_t word = 0;
    std::copy_n(bytes.data() + i, std::min<size_t>(8, bytes.size() - i), reinterpret_cast<char*>(&word));
    *hash = Mix64(*hash ^ word);
  }
}

// Makes what is under `inode` in a file system of its own. `made`: the first path of each file, for further links.
absl::Status MakeFiles(const DiskTree& tree, DiskInode inode, const std::string& path, FileSystem* disk,
                       std::map<DiskInode, std::string>* made, uint64_t* hash) {
  for (const auto& [name, child] : tree.node(inode)->names) {
    const std::string child_path = path + "/" + name;
    const DiskTree::Node& node = *tree.node(child);
    HashBytes(child_path, hash);
    const auto [first, is_new] = made->emplace(child, child_path);
    if (node.is_directory) {
      // Two names of one directory are what only a torn rename of it could leave; the first one stands.
      if (!is_new) continue;
      RETURN_IF_ERROR(disk->CreateDirectory(child_path));
      RETURN_IF_ERROR(MakeFiles(tree, child, child_path, disk, made, hash));
    } else if (is_new) {
      ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, disk->CreateFile(child_path));
      if (node.bytes != nullptr) {
        HashBytes(*node.bytes, hash);
        RETURN_IF_ERROR(file->Append(*node.bytes).status);
      }
    } else {
      HashBytes(first->second, hash);
      RETURN_IF_ERROR(disk->Link(first->second, child_path));
    }
  }
  return absl::OkStatus();
}

// All names of states but "none" and "all", by kind.
std::vector<std::vector<std::string>> StateKinds(const CrashPlan& plan, bool beside, Random* random) {
  std::vector<std::vector<std::string>> kinds;
  const auto seed = [&] { return std::to_string(random->Below(1'000'000)); };
  for (const bool sectors : {false, true}) {
    const size_t count = plan.pieces(sectors).size();
    if (sectors && count == plan.pieces(false).size()) break;
    const std::string grain = sectors ? "/512" : "";
    std::vector<std::string> first, but, only, without, some;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) first.push_back("first:" + std::to_string(i) + grain);
      if (i + 1 < count) but.push_back("but:" + std::to_string(i) + grain);
      if (i > 0) only.push_back("only:" + std::to_string(i) + grain);
    }
    for (size_t i = 0; i < count && count > 2; ++i) {
      const size_t last = 1 + random->Below(count - 1);
      without.push_back("without:" + std::to_string(random->Below(last)) + ":" + std::to_string(last) + grain);
    }
    for (size_t i = 0; i < std::max<size_t>(8, count); ++i) some.push_back("random:" + seed() + grain);
    for (std::vector<std::string>* kind : {&first, &but, &only, &without, &some}) kinds.push_back(std::move(*kind));
  }
  if (!plan.has_writes()) return kinds;
  for (const bool sectors : {false, true}) {
    const std::string grain = sectors ? "/512" : "";
    const size_t count = plan.pieces(sectors).size();
    std::vector<std::string> tails{"none/zeros" + grain};
    for (size_t i = 0; i < std::max<size_t>(4, count / 2); ++i) {
      const std::string first = "first:" + std::to_string(random->Below(count)) + grain;
      tails.push_back(first + "/zeros");
      tails.push_back(first + "/stale:" + seed());
      tails.push_back("random:" + seed() + grain + "/zeros");
      tails.push_back("random:" + seed() + grain + "/stale:" + seed());
      if (!beside) continue;
      tails.push_back(first + "/beside:" + seed());
      tails.push_back("random:" + seed() + grain + "/beside:" + seed());
    }
    kinds.push_back(std::move(tails));
  }
  return kinds;
}

void Shuffle(std::vector<std::string>* names, Random* random) {
  for (size_t i = names->size(); i > 1; --i) std::swap((*names)[i - 1], (*names)[random->Below(i)]);
}

std::string Hex(uint64_t value) {
  char text[17];
  return {text, std::to_chars(text, text + sizeof(text), value, 16).ptr};
}

}  // namespace

struct CrashDisk::Plan {
  CrashPlan plan;
};

CrashDisk::CrashDisk(const DiskTrace& trace, size_t point) : plan_(new Plan{CrashPlan(trace, point)}) {}
CrashDisk::~CrashDisk() = default;

size_t CrashDisk::pieces() const { return plan_->plan.pieces(/*sectors=*/false).size(); }

std::vector<std::string> CrashDisk::States(const CrashStateOptions& options) const {
  const size_t count = pieces();
  std::vector<std::string> states{"none"};
  if (count == 0) return states;
  states.emplace_back("all");
  Random random(options.seed);
  std::vector<std::vector<std::string>> kinds = StateKinds(plan_->plan, options.beside, &random);
  for (std::vector<std::string>& kind : kinds) Shuffle(&kind, &random);
  if (count <= kMaxExhaustive && (size_t{1} << count) <= options.most) {
    for (uint64_t bits = 1; bits + 1 < (uint64_t{1} << count); ++bits) states.push_back("bits:" + Hex(bits));
  }
  std::set<std::string> taken(states.begin(), states.end());
  // In turn from each kind, so that a small sample has all of them.
  for (size_t i = 0, left = 1; left != 0 && states.size() < options.most; ++i) {
    left = 0;
    for (const std::vector<std::string>& kind : kinds) {
      if (i >= kind.size() || states.size() >= options.most) continue;
      ++left;
      if (taken.insert(kind[i]).second) states.push_back(kind[i]);
    }
  }
  return states;
}

absl::StatusOr<DiskImage> CrashDisk::Build(std::string_view state) const {
  const auto [subset, flags] = SplitAt(state, '/');
  CrashChoice choice;
  bool valid = ParseFlags(flags, &choice);
  choice.kept.resize(plan_->plan.pieces(choice.sectors).size());
  valid = valid && ParseSubset(subset, &choice.kept);
  if (!valid)
    return InvalidArgument("no state of a disk with " + std::to_string(choice.kept.size()) +
                           " pieces: " + Quoted(state));
  DiskImage image;
  image.disk = NewMemoryFileSystem();
  const DiskTree tree = plan_->plan.Build(choice);
  std::map<DiskInode, std::string> made;
  RETURN_IF_ERROR(MakeFiles(tree, 0, "", image.disk.get(), &made, &image.hash));
  return image;
}

}  // namespace varve
