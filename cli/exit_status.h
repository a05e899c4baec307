// What the command's exit status says to a script. The numbers are a contract.
#ifndef VARVE_CLI_EXIT_STATUS_H_
#define VARVE_CLI_EXIT_STATUS_H_

namespace varve::cli {

enum ExitStatus : int {
  kDone = 0,
  kFailed = 1,  // the operation failed, or damage was found; one line on stderr says what
  kUsage = 2,   // the command line is wrong; nothing was tried
};

}  // namespace varve::cli

#endif  // VARVE_CLI_EXIT_STATUS_H_
