// The options that every command takes, and what they mean to the library.
#ifndef VARVE_CLI_COMMON_OPTIONS_H_
#define VARVE_CLI_COMMON_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "varve/options.h"
#include "varve/schema.h"

namespace varve::cli {

struct CommonOptions {
  bool json = false;
  uint64_t memory_bytes = 0;  // 0: the library's defaults
  int threads = 0;            // 0: the command's default
  VerifyChecksums verify_checksums = VerifyChecksums::kOnTouch;
  uint64_t seed = Options().seed;
};

void AddCommonOptions(CLI::App* app, CommonOptions* common);

Options ToOptions(const CommonOptions& common);
ReadOnlyOptions ToReadOnlyOptions(const CommonOptions& common);

// The positional DIR.
void AddDirectory(CLI::App* app, std::string* directory);

// --param name=value, as often as wanted.
CLI::Option* AddParams(CLI::App* app, ParamMap* params);

// --sync MODE.
void AddSync(CLI::App* app, std::optional<SyncMode>* sync);

// An option that takes a whole number of at least 0. (CLI11 by itself reads "-1" as the largest number.)
template <typename T>
CLI::Option* AddCount(CLI::App* app, const std::string& name, T* target, const std::string& description) {
  return app->add_option(name, *target, description)->check(CLI::NonNegativeNumber)->type_name("N");
}

// An option whose value is one of the names that `parse` knows; any other is wrong usage.
template <typename T>
CLI::Option* AddEnum(CLI::App* app, const std::string& name, T* target, std::optional<T> (*parse)(std::string_view),
                     const std::string& description) {
  return app->add_option(name, CLI::callback_t([target, parse](const CLI::results_t& values) {
                           const std::optional<T> value = parse(values.back());
                           if (value) *target = *value;
                           return value.has_value();
                         }),
                         description);
}

}  // namespace varve::cli

#endif  // VARVE_CLI_COMMON_OPTIONS_H_
