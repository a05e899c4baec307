#include "varve/fault_file_system.h"

#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/disk_faults.h"
#include "base/disk_recorder.h"
#include "base/status.h"

namespace varve {

class FaultFileSystem::File final : public WritableFile {
 public:
  File(std::unique_ptr<WritableFile> under, std::string path, DiskInode inode, FaultFileSystem* fs)
      : under_(std::move(under)), path_(std::move(path)), inode_(inode), fs_(fs) {}

  WriteResult Append(std::string_view data) override { return WriteAt(under_->Size(), data); }

  WriteResult WriteAt(uint64_t offset, std::string_view data) override {
    const DiskFaults::Verdict verdict = fs_->faults_->Decide(DiskCall::kWrite, path_, data.size());
    if (!verdict.status.ok() && verdict.bytes == 0) return {verdict.status, 0};
    if (!verdict.status.ok()) data = data.substr(0, verdict.bytes);
    absl::MutexLockMaybe lock(fs_->recorder_->on() ? fs_->recorder_->mutex() : nullptr);
    WriteResult result = under_->WriteAt(offset, data);
    if (fs_->recorder_->on()) fs_->recorder_->Write(inode_, offset, data.substr(0, result.bytes_written));
    if (!verdict.status.ok()) result.status = verdict.status;
    return result;
  }

  absl::Status Preallocate(uint64_t length) override {
    const DiskFaults::Verdict verdict = fs_->faults_->Decide(DiskCall::kPreallocate, path_);
    return verdict.status.ok() ? under_->Preallocate(length) : verdict.status;
  }

  absl::Status Truncate(uint64_t length) override {
    return fs_->Change(
        DiskCall::kTruncate, path_, [&] { return under_->Truncate(length); },
        [&](DiskRecorder* recorder) { recorder->Truncate(inode_, length); });
  }

  // Not under the recorder's lock: a sync may run beside writes, and covers those before it began.
  absl::Status Sync() override {
    const DiskFaults::Verdict verdict = fs_->faults_->Decide(DiskCall::kSync, path_);
    if (verdict.pretend) return absl::OkStatus();
    if (!verdict.status.ok()) {
      if (verdict.injected && fs_->recorder_->on()) {
        absl::MutexLock lock(fs_->recorder_->mutex());
        fs_->recorder_->Sync(inode_, fs_->recorder_->size(), DiskOperation::Kind::kFailedSync);
      }
      return verdict.status;
    }
    if (!fs_->recorder_->on()) return under_->Sync();
    size_t begun = 0;
    {
      absl::MutexLock lock(fs_->recorder_->mutex());
      begun = fs_->recorder_->size();
    }
    RETURN_IF_ERROR(under_->Sync());
    absl::MutexLock lock(fs_->recorder_->mutex());
    fs_->recorder_->Sync(inode_, begun);
    return absl::OkStatus();
  }

  absl::Status Close() override {
    const DiskFaults::Verdict verdict = fs_->faults_->Decide(DiskCall::kClose, path_);
    const absl::Status status = under_->Close();
    return verdict.status.ok() ? status : verdict.status;
  }

  uint64_t Size() const override { return under_->Size(); }

 private:
  const std::unique_ptr<WritableFile> under_;
  const std::string path_;
  const DiskInode inode_;
  FaultFileSystem* const fs_;
  const Handle handle_{fs_};
};

class FaultFileSystem::Reader final : public RandomAccessFile {
 public:
  Reader(std::unique_ptr<RandomAccessFile> under, std::string path, FaultFileSystem* fs)
      : under_(std::move(under)), path_(std::move(path)), faults_(fs->faults_.get()), handle_(fs) {}
  absl::StatusOr<size_t> Read(uint64_t offset, size_t length, char* buffer) const override {
    RETURN_IF_ERROR(faults_->Decide(DiskCall::kRead, path_).status);
    return under_->Read(offset, length, buffer);
  }
  absl::StatusOr<uint64_t> Size() const override { return under_->Size(); }

 private:
  const std::unique_ptr<RandomAccessFile> under_;
  const std::string path_;
  DiskFaults* const faults_;
  const Handle handle_;
};

class FaultFileSystem::Mapping final : public MappedFile {
 public:
  Mapping(std::unique_ptr<MappedFile> under, FaultFileSystem* fs) : under_(std::move(under)), fs_(fs) {}
  ~Mapping() override {
    if (fs_->on_unmap_) fs_->on_unmap_();
  }
  absl::Span<const std::byte> bytes() const override { return under_->bytes(); }
  void Advise(uint64_t offset, uint64_t length, AccessPattern pattern) const override {
    under_->Advise(offset, length, pattern);
  }

 private:
  const std::unique_ptr<MappedFile> under_;
  FaultFileSystem* const fs_;
  const Handle handle_{fs_};
};

class FaultFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(std::unique_ptr<FileLock> under, FaultFileSystem* fs) : under_(std::move(under)), handle_(fs) {}

 private:
  const std::unique_ptr<FileLock> under_;
  const Handle handle_;
};

FaultFileSystem::FaultFileSystem(FileSystem* under, uint64_t seed)
    : under_(under), faults_(std::make_unique<DiskFaults>(seed)), recorder_(std::make_unique<DiskRecorder>()) {}

FaultFileSystem::FaultFileSystem(FileSystem* under, DiskTrace trace, uint64_t seed) : FaultFileSystem(under, seed) {
  recorder_->GoOn(std::move(trace));
}

FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::Fail(DiskFault fault) { faults_->Add(std::move(fault)); }
void FaultFileSystem::Heal() { faults_->Clear(); }
void FaultFileSystem::Revive() { faults_->Revive(); }
uint64_t FaultFileSystem::failures() const { return faults_->failures(); }
uint64_t FaultFileSystem::calls(DiskCall call) const { return faults_->calls(call); }
uint64_t FaultFileSystem::calls() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kDiskCalls; ++i) sum += faults_->calls(static_cast<DiskCall>(i));
  return sum;
}
void FaultFileSystem::SetRoom(int64_t bytes, bool partial) { faults_->SetRoom(bytes, partial); }
void FaultFileSystem::StopAfter(int64_t changes) { faults_->StopAfter(changes); }
bool FaultFileSystem::stopped() const { return faults_->stopped(); }
void FaultFileSystem::OnCall(std::function<void(DiskCall call, const std::string& path)> hook) {
  faults_->OnCall(std::move(hook));
}
void FaultFileSystem::OnUnmap(std::function<void()> hook) { on_unmap_ = std::move(hook); }
void FaultFileSystem::OnListed(std::function<void(const std::string& directory)> hook) { on_listed_ = std::move(hook); }

absl::Status FaultFileSystem::Record(const std::string& root) {
  absl::MutexLock lock(recorder_->mutex());
  return recorder_->Begin(under_, root);
}
DiskTrace FaultFileSystem::trace() const {
  absl::MutexLock lock(recorder_->mutex());
  return recorder_->trace();
}
size_t FaultFileSystem::trace_size() const {
  absl::MutexLock lock(recorder_->mutex());
  return recorder_->size();
}

template <typename Make, typename Note>
absl::Status FaultFileSystem::Change(DiskCall call, const std::string& path, Make make, Note note) {
  const DiskFaults::Verdict verdict = faults_->Decide(call, path);
  if (!verdict.status.ok() || verdict.pretend) return verdict.status;
  if (!recorder_->on()) return make();
  absl::MutexLock lock(recorder_->mutex());
  RETURN_IF_ERROR(make());
  note(recorder_.get());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::Wrap(absl::StatusOr<std::unique_ptr<WritableFile>> file,
                                                                    const std::string& path, DiskInode inode) {
  if (!file.ok()) return file;
  return std::unique_ptr<WritableFile>(std::make_unique<File>(*std::move(file), path, inode, this));
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::CreateFile(const std::string& path) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kCreateFile, path).status);
  if (!recorder_->on()) return Wrap(under_->CreateFile(path), path, 0);
  absl::MutexLock lock(recorder_->mutex());
  absl::StatusOr<std::unique_ptr<WritableFile>> file = under_->CreateFile(path);
  const DiskInode inode = file.ok() ? recorder_->CreateFile(path) : 0;
  return Wrap(std::move(file), path, inode);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::OpenForAppend(const std::string& path) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kOpenForAppend, path).status);
  if (!recorder_->on()) return Wrap(under_->OpenForAppend(path), path, 0);
  absl::MutexLock lock(recorder_->mutex());
  return Wrap(under_->OpenForAppend(path), path, recorder_->Find(path));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> FaultFileSystem::OpenForRead(const std::string& path) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kOpenForRead, path).status);
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, under_->OpenForRead(path));
  return std::unique_ptr<RandomAccessFile>(std::make_unique<Reader>(std::move(file), path, this));
}

absl::StatusOr<std::unique_ptr<MappedFile>> FaultFileSystem::Map(const std::string& path, bool copy) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kMap, path).status);
  ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> mapping, under_->Map(path, copy));
  return std::unique_ptr<MappedFile>(std::make_unique<Mapping>(std::move(mapping), this));
}

absl::StatusOr<FileInfo> FaultFileSystem::Stat(const std::string& path) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kStat, path).status);
  return under_->Stat(path);
}

absl::StatusOr<std::vector<std::string>> FaultFileSystem::List(const std::string& directory) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kList, directory).status);
  absl::StatusOr<std::vector<std::string>> names = under_->List(directory);
  if (on_listed_) on_listed_(directory);
  return names;
}

absl::Status FaultFileSystem::CreateDirectory(const std::string& path) {
  return Change(
      DiskCall::kCreateDirectory, path, [&] { return under_->CreateDirectory(path); },
      [&](DiskRecorder* recorder) { recorder->MakeDirectory(path); });
}

absl::Status FaultFileSystem::RemoveDirectory(const std::string& path) {
  return Change(
      DiskCall::kRemoveDirectory, path, [&] { return under_->RemoveDirectory(path); },
      [&](DiskRecorder* recorder) { recorder->Remove(path, DiskOperation::Kind::kRemoveDirectory); });
}

absl::Status FaultFileSystem::RemoveFile(const std::string& path) {
  return Change(
      DiskCall::kRemoveFile, path, [&] { return under_->RemoveFile(path); },
      [&](DiskRecorder* recorder) { recorder->Remove(path, DiskOperation::Kind::kRemoveFile); });
}

absl::Status FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  return Change(
      DiskCall::kRename, to, [&] { return under_->Rename(from, to); },
      [&](DiskRecorder* recorder) { recorder->Rename(from, to); });
}

absl::Status FaultFileSystem::Link(const std::string& from, const std::string& to) {
  return Change(
      DiskCall::kLink, to, [&] { return under_->Link(from, to); },
      [&](DiskRecorder* recorder) { recorder->Link(from, to); });
}

absl::Status FaultFileSystem::SyncDirectory(const std::string& directory) {
  return Change(
      DiskCall::kSyncDirectory, directory, [&] { return under_->SyncDirectory(directory); },
      [&](DiskRecorder* recorder) {
        recorder->Sync(recorder->Find(directory), recorder->size(), DiskOperation::Kind::kSyncDirectory);
      });
}

// Of a lock the file is noted, not what is written into it for people.
absl::StatusOr<std::unique_ptr<FileLock>> FaultFileSystem::Lock(const std::string& path, std::string_view note) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kLock, path).status);
  absl::MutexLockMaybe lock(recorder_->on() ? recorder_->mutex() : nullptr);
  absl::StatusOr<std::unique_ptr<FileLock>> held = under_->Lock(path, note);
  if (!held.ok()) return held;
  if (recorder_->on() && !recorder_->Exists(path)) recorder_->CreateFile(path);
  return std::unique_ptr<FileLock>(std::make_unique<HeldLock>(*std::move(held), this));
}

absl::StatusOr<bool> FaultFileSystem::IsLocked(const std::string& path) {
  RETURN_IF_ERROR(faults_->Decide(DiskCall::kIsLocked, path).status);
  return under_->IsLocked(path);
}

}  // namespace varve
