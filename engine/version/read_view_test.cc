#include "engine/version/read_view.h"

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

// Readers check that the view they pin is alive by its memtable's content.
class ReadViewTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReadView> MakeView(Sequence mark) {
    auto view = std::make_unique<ReadView>();
    view->memtables.push_back(std::make_shared<Memtable>(schema_, Memtable::Limits{.bytes = 1 << 16}, 1));
    view->memtables.front()->first_sequence = mark;
    return view;
  }

  Schema schema_ = Schema::SingleVector(2, Metric::kL2);
};

TEST_F(ReadViewTest, AReplacedViewLivesAsLongAsItIsPinned) {
  std::atomic<Sequence> visible{1};
  ViewRegistry views(MakeView(1));
  std::weak_ptr<Memtable> first = views.current()->memtables.front();
  {
    const ViewRegistry::Pin pin = views.PinCurrent(visible);
    views.Install(MakeView(2));
    EXPECT_EQ(pin.view().memtables.front()->first_sequence, 1u);
    EXPECT_EQ(views.retired(), 1u);
  }
  views.Reclaim();
  EXPECT_EQ(views.retired(), 0u);
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(views.PinCurrent(visible).view().memtables.front()->first_sequence, 2u);
}

TEST_F(ReadViewTest, ThereAreAsManyPinsAsAreWanted) {
  std::atomic<Sequence> visible{1};
  ViewRegistry views(MakeView(1));
  std::weak_ptr<Memtable> first = views.current()->memtables.front();
  std::vector<ViewRegistry::Pin> pins;
  std::set<size_t> slots;
  std::set<const SearchContext*> contexts;
  for (int i = 0; i < 1000; ++i) {
    pins.push_back(views.PinCurrent(visible));
    slots.insert(pins.back().slot());
    contexts.insert(pins.back().context());
  }
  EXPECT_EQ(slots.size(), 1000u);
  EXPECT_EQ(contexts.size(), 1000u);
  views.Install(MakeView(2));
  // The last one is in a block that was added.
  std::vector<ViewRegistry::Pin> last;
  last.push_back(std::move(pins.back()));
  pins.clear();
  views.Reclaim();
  EXPECT_FALSE(first.expired());
  last.clear();
  for (int i = 0; i < 600; ++i) pins.push_back(views.PinCurrent(visible));
  views.Reclaim();
  EXPECT_TRUE(first.expired());
}

TEST_F(ReadViewTest, AHoldOutlivesItsPin) {
  std::atomic<Sequence> visible{1};
  ViewRegistry views(MakeView(1));
  std::shared_ptr<const ReadView> held;
  {
    const ViewRegistry::Pin pin = views.PinCurrent(visible);
    held = views.Hold(pin);
  }
  views.Install(MakeView(2));
  views.Reclaim();
  EXPECT_EQ(held->memtables.front()->first_sequence, 1u);
  {
    const ViewRegistry::Pin pin = views.PinHeld(held.get());
    EXPECT_EQ(&pin.view(), held.get());
  }
  held.reset();
  EXPECT_EQ(views.retired(), 0u);
}

TEST_F(ReadViewTest, APinNeverHasASequenceFromBeforeItsView) {
  // A view is installed before its first sequence becomes visible; view n begins with sequence 10 n.
  std::atomic<Sequence> visible{10};
  ViewRegistry views(MakeView(10));
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!done.load()) {
        const ViewRegistry::Pin pin = views.PinCurrent(visible);
        const Sequence first = pin.view().memtables.front()->first_sequence;
        if (pin.point.visible > first + 9) ++wrong;  // it lacks the memtable of a write that it would see
      }
    });
  }
  for (Sequence n = 2; n < 3000; ++n) {
    views.Install(MakeView(10 * n));
    for (Sequence i = 0; i < 10; ++i) visible.store(10 * n + i);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace varve
