#include "cli/common_options.h"

#include <algorithm>
#include <charconv>

namespace varve::cli {
namespace {

constexpr size_t kMinMemoryBytes = size_t{4} << 20;

std::optional<VerifyChecksums> ParseVerifyChecksums(std::string_view name) {
  if (name == "touch") return VerifyChecksums::kOnTouch;
  if (name == "open") return VerifyChecksums::kAtOpen;
  if (name == "never") return VerifyChecksums::kNever;
  return std::nullopt;
}

// "name=value"
bool AddParam(std::string_view text, ParamMap* params) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return false;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, value);
  if (error != std::errc() || stop != end) return false;
  (*params)[std::string(text.substr(0, equals))] = value;
  return true;
}

}  // namespace

void AddCommonOptions(CLI::App* app, CommonOptions* common) {
  app->add_flag("--json", common->json, "Print one JSON document on stdout, and nothing else there");
  app->add_option("--memory", common->memory_bytes, "Memory to work with, in bytes (64MB is understood)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->type_name("BYTES");
  app->add_option("--threads", common->threads, "Threads to work with")->check(CLI::Range(1, 1024))->type_name("N");
  AddEnum(app, "--verify-checksums", &common->verify_checksums, &ParseVerifyChecksums,
          "When blocks of mapped files are checked: touch (default), open or never")
      ->type_name("WHEN");
  AddCount(app, "--seed", &common->seed, "Seed of index builds");
}

Options ToOptions(const CommonOptions& common) {
  Options options;
  options.threads = common.threads;
  options.verify_checksums = common.verify_checksums;
  options.seed = common.seed;
  if (common.memory_bytes != 0) {
    options.memory_bytes = std::max<uint64_t>(common.memory_bytes, kMinMemoryBytes);
    options.memtable_bytes = std::clamp<uint64_t>(options.memory_bytes / 6, size_t{1} << 16, options.memtable_bytes);
  }
  return options;
}

ReadOnlyOptions ToReadOnlyOptions(const CommonOptions& common) {
  ReadOnlyOptions options;
  options.verify_checksums = common.verify_checksums;
  return options;
}

void AddDirectory(CLI::App* app, std::string* directory) {
  app->add_option("DIR", *directory, "The collection's directory")->required();
}

CLI::Option* AddParams(CLI::App* app, ParamMap* params) {
  return app
      ->add_option("--param", CLI::callback_t([params](const CLI::results_t& values) {
                     return std::all_of(values.begin(), values.end(),
                                        [params](const std::string& value) { return AddParam(value, params); });
                   }),
                   "A parameter of the index, such as ef=64; may be given several times")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

void AddSync(CLI::App* app, std::optional<SyncMode>* sync) {
  app->add_option("--sync", CLI::callback_t([sync](const CLI::results_t& values) {
                    *sync = ParseSyncMode(values.back());
                    return sync->has_value();
                  }),
                  "When writes are durable: per_op, every:N, interval:MS or on_flush (default: the schema's)")
      ->type_name("MODE");
}

}  // namespace varve::cli
