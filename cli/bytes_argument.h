// Keys and namespaces as options: as text, or in base64. Thread-compatible.
#ifndef VARVE_CLI_BYTES_ARGUMENT_H_
#define VARVE_CLI_BYTES_ARGUMENT_H_

#include <optional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "cli/base64.h"

namespace varve::cli {

// A key or namespace on the command line: as text, or in base64 for bytes that a shell does not pass on.
struct BytesArgument {
  std::optional<std::string> text;
  std::optional<std::string> base64;

  absl::StatusOr<std::optional<std::string>> Decode(std::string_view name) const {
    if (!base64) return text;
    return DecodeBase64(*base64, name);
  }
};

inline void AddNamespace(CLI::App* app, BytesArgument* ns, const std::string& description) {
  CLI::Option* text = app->add_option("--namespace", ns->text, description)->type_name("NS");
  app->add_option("--namespace-base64", ns->base64, "The namespace in base64")->type_name("B64")->excludes(text);
}

}  // namespace varve::cli

#endif  // VARVE_CLI_BYTES_ARGUMENT_H_
