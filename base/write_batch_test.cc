#include "varve/write_batch.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(WriteBatch, KeepsOperationsInTheirOrder) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());

  batch.Put({.ns = "a", .key = "1", .metadata = "{}"});
  batch.Insert({.key = "2"}, Sequence{0});
  batch.Update({.ns = "b", .key = "3", .patch = R"({"x":1})"}, Sequence{17});
  batch.Delete("c", "4");

  ASSERT_EQ(batch.size(), 4u);
  const std::vector<WriteBatch::Operation>& operations = batch.operations();
  EXPECT_EQ(operations[0].kind, WriteBatch::Kind::kPut);
  EXPECT_EQ(operations[0].record.metadata, "{}");
  EXPECT_EQ(operations[0].if_sequence, std::nullopt);
  EXPECT_EQ(operations[1].kind, WriteBatch::Kind::kInsert);
  EXPECT_EQ(operations[1].if_sequence, Sequence{0});
  EXPECT_EQ(operations[2].kind, WriteBatch::Kind::kUpdate);
  EXPECT_EQ(operations[2].update.patch, R"({"x":1})");
  EXPECT_EQ(operations[2].if_sequence, Sequence{17});
  EXPECT_EQ(operations[3].kind, WriteBatch::Kind::kDelete);
}

TEST(WriteBatch, EveryOperationKnowsItsNamespaceAndKey) {
  WriteBatch batch;
  batch.Put({.ns = "a", .key = "1"});
  batch.Update({.ns = "b", .key = "2"});
  batch.Delete("c", "3");

  EXPECT_EQ(batch.operations()[0].ns() + batch.operations()[0].key(), "a1");
  EXPECT_EQ(batch.operations()[1].ns() + batch.operations()[1].key(), "b2");
  EXPECT_EQ(batch.operations()[2].ns() + batch.operations()[2].key(), "c3");
}

TEST(WriteBatch, DeletesANamespaceAndIsEmptyAfterClear) {
  WriteBatch batch;
  batch.DeleteNamespace("tenant");

  EXPECT_EQ(batch.operations()[0].kind, WriteBatch::Kind::kDeleteNamespace);
  EXPECT_EQ(batch.operations()[0].ns(), "tenant");
  batch.Clear();
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace varve
