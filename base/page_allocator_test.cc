#include "base/page_allocator.h"

#include <cstdint>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>

#include "base/aligned_bytes.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

size_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::stoull(line.substr(8)) * 1024;
  }
  return 0;
}

TEST(PageAllocator, GivesWhatContainersNeedAtEverySize) {
  LargeVector<uint32_t> values;
  for (uint32_t i = 0; i < 300'000; ++i) values.push_back(i);  // over the border to pages
  LargeVector<uint32_t> copy = values;
  values.clear();
  values.shrink_to_fit();
  for (uint32_t i = 0; i < copy.size(); ++i) ASSERT_EQ(copy[i], i);
  values = std::move(copy);
  EXPECT_EQ(values.back(), 299'999u);
}

TEST(PageAllocator, StartsOnAPage) {
  for (const size_t size : {size_t{1}, kPageBytes, kFewestPageBytes - 1, kFewestPageBytes, kFewestPageBytes + 1}) {
    const AlignedBytes memory = AllocateAligned(size);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % kPageBytes, 0u);
    memory[0] = memory[size - 1] = std::byte{1};
  }
  EXPECT_EQ(AllocateAligned(0), nullptr);
}

TEST(PageAllocator, SaysWhenThereIsNoMemory) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they end the program
  EXPECT_EQ(AllocatePages(std::numeric_limits<size_t>::max() / 2), nullptr);
#endif
  EXPECT_THROW(PageAllocator<uint64_t>().allocate(std::numeric_limits<size_t>::max() / 4), std::bad_array_new_length);
}

TEST(PageAllocator, FreedMemoryGoesBackToTheSystem) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "under a sanitizer the standard allocator serves all sizes";
#endif
  constexpr size_t kBytes = size_t{8} << 20;
  // The standard allocator, too, after it has learnt that pieces of this size come and go.
  for (int i = 0; i < 3; ++i) {
    const size_t before = AnonymousBytes();
    LargeVector<std::byte> large(kBytes, std::byte{7});
    LargeVector<std::byte> pin(100, std::byte{8});
    EXPECT_GE(AnonymousBytes(), before + kBytes / 2);
    large.clear();
    large.shrink_to_fit();
    EXPECT_LT(AnonymousBytes(), before + kBytes / 2);
  }
}

}  // namespace
}  // namespace varve
