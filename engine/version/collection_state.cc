#include "engine/version/collection_state.h"

#include <thread>

#include "varve/executor.h"

namespace varve {

int CollectionState::BuildThreads() const {
  if (options.threads > 0) return options.threads;
  if (options.executor != nullptr) return options.executor->Concurrency();
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace varve
