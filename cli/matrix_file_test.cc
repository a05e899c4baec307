#include "cli/matrix_file.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

class MatrixFileTest : public ::testing::Test {
 protected:
  // Opens a file with these bytes.
  absl::StatusOr<std::unique_ptr<MatrixFile>> Open(const std::string& name, const std::string& bytes) {
    const std::unique_ptr<WritableFile> file = *fs_->CreateFile(name);
    EXPECT_OK(file->Append(bytes).status);
    return MatrixFile::Open(name, *MatrixFormatOf(name), fs_.get());
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
};

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  ByteWriter writer;
  for (const T value : values) writer.Fixed(value);
  return writer.Take();
}

template <typename T>
std::string VecsRow(int32_t dimension, const std::vector<T>& values) {
  return Bytes<int32_t>({dimension}) + Bytes(values);
}

std::string Npy(const std::string& dictionary, const std::string& data) {
  ByteWriter writer;
  writer.Bytes("\x93NUMPY\x01");
  writer.Fixed<uint8_t>(0);
  writer.Fixed<uint16_t>(static_cast<uint16_t>(dictionary.size()));
  writer.Bytes(dictionary);
  writer.Bytes(data);
  return writer.Take();
}

std::vector<std::vector<float>> AllRows(const MatrixFile& file) {
  std::vector<std::byte> bytes;
  EXPECT_OK(file.ReadRows(0, file.rows(), &bytes));
  std::vector<std::vector<float>> rows;
  for (uint64_t row = 0; row < file.rows(); ++row) {
    rows.push_back(
        RowToFloats(absl::MakeConstSpan(bytes).subspan(row * file.row_bytes(), file.row_bytes()), file.component()));
  }
  return rows;
}

TEST_F(MatrixFileTest, ReadsRowsThatSayTheirDimension) {
  ASSERT_OK_AND_ASSIGN(const auto floats, Open("a.fvecs", VecsRow<float>(2, {1, 2.5}) + VecsRow<float>(2, {-3, 4})));
  ASSERT_OK_AND_ASSIGN(const auto bytes, Open("a.bvecs", VecsRow<uint8_t>(3, {0, 128, 255})));
  ASSERT_OK_AND_ASSIGN(const auto integers, Open("a.ivecs", VecsRow<int32_t>(1, {-7})));

  EXPECT_EQ(floats->dimension(), 2);
  EXPECT_THAT(AllRows(*floats), ElementsAre(ElementsAre(1, 2.5), ElementsAre(-3, 4)));
  EXPECT_THAT(AllRows(*bytes), ElementsAre(ElementsAre(0, 128, 255)));
  EXPECT_THAT(AllRows(*integers), ElementsAre(ElementsAre(-7)));
}

TEST_F(MatrixFileTest, ReadsFilesThatBeginWithTheirShape) {
  const std::string shape = Bytes<uint32_t>({2, 2});

  ASSERT_OK_AND_ASSIGN(const auto floats, Open("a.fbin", shape + Bytes<float>({1, 2, 3, 4})));
  ASSERT_OK_AND_ASSIGN(const auto bytes, Open("a.u8bin", shape + Bytes<uint8_t>({1, 2, 3, 255})));
  ASSERT_OK_AND_ASSIGN(const auto signed_bytes, Open("a.i8bin", shape + Bytes<int8_t>({1, 2, 3, -128})));

  EXPECT_THAT(AllRows(*floats), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  EXPECT_THAT(AllRows(*bytes), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 255)));
  EXPECT_THAT(AllRows(*signed_bytes), ElementsAre(ElementsAre(1, 2), ElementsAre(3, -128)));
}

TEST_F(MatrixFileTest, ReadsNumPyArrays) {
  const std::string shape = "'fortran_order': False, 'shape': (2, 1), }          \n";

  ASSERT_OK_AND_ASSIGN(const auto floats, Open("a.npy", Npy("{'descr': '<f4', " + shape, Bytes<float>({1.5, -2}))));
  EXPECT_THAT(AllRows(*floats), ElementsAre(ElementsAre(1.5), ElementsAre(-2)));
  ASSERT_OK_AND_ASSIGN(const auto halves,
                       Open("a.npy", Npy("{'descr': '<f2', " + shape, Bytes<uint16_t>({0x3C00, 0xC000}))));
  EXPECT_THAT(AllRows(*halves), ElementsAre(ElementsAre(1), ElementsAre(-2)));
  ASSERT_OK_AND_ASSIGN(const auto bytes, Open("a.npy", Npy("{'descr': '|u1', " + shape, Bytes<uint8_t>({0, 255}))));
  EXPECT_THAT(AllRows(*bytes), ElementsAre(ElementsAre(0), ElementsAre(255)));
}

TEST_F(MatrixFileTest, ReadsAnyRangeOfRows) {
  ASSERT_OK_AND_ASSIGN(const auto file,
                       Open("a.fvecs", VecsRow<float>(1, {10}) + VecsRow<float>(1, {11}) + VecsRow<float>(1, {12})));
  std::vector<std::byte> bytes;

  ASSERT_OK(file->ReadRows(1, 2, &bytes));

  EXPECT_THAT(RowToFloats(bytes, Component::kF32), ElementsAre(11, 12));
}

TEST_F(MatrixFileTest, NamesTheRowWhoseDimensionDisagrees) {
  // Also where the sizes add up to whole rows of the first one's dimension.
  EXPECT_THAT(Open("a.fvecs", VecsRow<float>(2, {1, 2}) + VecsRow<float>(3, {1, 2, 3})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.fvecs"), HasSubstr("offset 12"), HasSubstr("row 1 has dimension 3"))));
  EXPECT_THAT(Open("a.fvecs", VecsRow<float>(2, {1, 2}) + VecsRow<float>(1, {1}) + Bytes<float>({0})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 1 has dimension 1, the rows before it 2")));
}

TEST_F(MatrixFileTest, NamesTheRowInWhichTheFileEnds) {
  const std::string vecs = VecsRow<float>(2, {1, 2}) + VecsRow<float>(2, {3, 4});
  for (size_t size = 13; size < vecs.size(); ++size) {
    EXPECT_THAT(
        Open("a.fvecs", vecs.substr(0, size)),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 AllOf(HasSubstr("a.fvecs: at offset " + std::to_string(size)), HasSubstr("ends inside row 1"))));
  }
  const std::string bin = Bytes<uint32_t>({2, 2}) + Bytes<float>({1, 2, 3, 4});
  EXPECT_THAT(Open("a.fbin", bin.substr(0, 20)),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("offset 20"), HasSubstr("ends inside row 1"),
                                                                 HasSubstr("2 rows of dimension 2"))));
  EXPECT_THAT(Open("a.fbin", bin.substr(0, 5)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ends inside its header")));
}

TEST_F(MatrixFileTest, NeverBelievesAShapeThatTheFileCannotHold) {
  EXPECT_THAT(Open("a.fbin", Bytes<uint32_t>({0xFFFFFFFF, 65535}) + "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ends inside row 0")));
  EXPECT_THAT(Open("a.fbin", Bytes<uint32_t>({1, 0xFFFFFFFF})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dimension 4294967295")));
  EXPECT_THAT(Open("a.u8bin", Bytes<uint32_t>({1, 0})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dimension 0")));
  EXPECT_THAT(Open("a.u8bin", Bytes<uint32_t>({1, 1}) + "abc"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2 bytes follow the last")));
  EXPECT_THAT(Open("a.fvecs", VecsRow<float>(-1, {1})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 0 has dimension -1")));
  EXPECT_THAT(Open("a.npy", Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551615, 2)}", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ends inside row 0")));
}

TEST_F(MatrixFileTest, RefusesNumPyArraysThatAreNoMatrixOfItsTypes) {
  const auto refusal = [&](const std::string& dictionary) {
    const auto file = Open("a.npy", Npy(dictionary, "12345678"));
    EXPECT_THAT(file, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a.npy"))) << dictionary;
    return std::string(file.status().message());
  };

  EXPECT_THAT(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)}"), HasSubstr("\"<f8\""));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}"), HasSubstr("Fortran"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"), HasSubstr("(rows, columns)"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'shape': (2, 1)}"), HasSubstr("lacks"));
  EXPECT_THAT(refusal("{'descr': '<f4"), HasSubstr("descr"));
  EXPECT_THAT(refusal("{'surprise': 1}"), HasSubstr("surprise"));
  EXPECT_THAT(refusal(""), HasSubstr("dictionary"));
  EXPECT_THAT(Open("a.npy", "\x93NUMPY"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a .npy")));
  EXPECT_THAT(Open("a.npy", "\x93NUMPY\x01\x01\xFF\x00"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ends inside the .npy header")));
  EXPECT_THAT(Open("a.npy", std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF", 12)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("claims 4294967295 bytes")));
}

TEST_F(MatrixFileTest, TakesFilesWithoutRows) {
  ASSERT_OK_AND_ASSIGN(const auto vecs, Open("a.fvecs", ""));
  ASSERT_OK_AND_ASSIGN(const auto bin, Open("a.fbin", Bytes<uint32_t>({0, 16})));

  EXPECT_EQ(vecs->rows(), 0);
  EXPECT_EQ(bin->rows(), 0);
  EXPECT_EQ(bin->dimension(), 16);
}

TEST_F(MatrixFileTest, SaysWhichFileIsNotThere) {
  EXPECT_THAT(MatrixFile::Open("none.fbin", MatrixFormat::kFbin, fs_.get()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.fbin")));
}

TEST(MatrixFormat, IsTheLastExtension) {
  EXPECT_EQ(MatrixFormatOf("a.fbin.npy"), MatrixFormat::kNpy);
  EXPECT_EQ(MatrixFormatOf("a.b/c"), std::nullopt);
  EXPECT_EQ(MatrixFormatOf("a.csv"), std::nullopt);
}

}  // namespace
}  // namespace varve::cli
