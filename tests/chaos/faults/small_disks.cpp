#include "tests/chaos/faults/small_disks.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace chat::test {
namespace {

constexpr const char* kJournalSize = "size=512m";
constexpr const char* kPostgresSize = "size=4g";  // of memory only what is used

void check(int result, const std::string& what) {
  if (result != 0) throw std::runtime_error(what + ": " + std::strerror(errno));
}

const char* size_of(const std::string& disk) {
  return disk.ends_with("/journal") ? kJournalSize : kPostgresSize;
}

void remount(const std::string& disk, unsigned long flags, const std::string& data) {
  check(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT | flags, data.c_str()), "remount " + disk + " " + data);
}

}  // namespace

std::string own_mounts() {
  if (geteuid() != 0) return "only root can mount the small disks";
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return std::string("no mounts of its own are allowed here: ") + std::strerror(errno);
  return {};
}

void mount_small_disks(const std::string& folder) {
  for (const auto& disk : {folder + "/journal", folder + "/postgres"}) {
    std::filesystem::create_directories(disk);
    check(mount("tmpfs", disk.c_str(), "tmpfs", 0, size_of(disk)), "mount " + disk);
  }
}

void make_full(const std::string& disk) {
  // What is written between the look and the remount may not fit any more: then a little more is granted.
  for (std::uint64_t grace = 0;; grace += 1U << 20) {
    struct statvfs now {};
    check(statvfs(disk.c_str(), &now), "look at " + disk);
    const auto used = (now.f_blocks - now.f_bfree) * now.f_frsize + grace;
    const auto data = "size=" + std::to_string(used);
    if (mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, data.c_str()) == 0) return;
    if (grace > (64U << 20)) throw std::runtime_error("could not fill " + disk + ": " + std::strerror(errno));
  }
}

void make_room(const std::string& disk) {
  remount(disk, 0, size_of(disk));
}

void make_read_only(const std::string& disk) {
  remount(disk, MS_RDONLY, size_of(disk));
}

void make_writable(const std::string& disk) {
  remount(disk, 0, size_of(disk));
}

void detach_small_disks(const std::string& folder) {
  for (const auto& disk : {folder + "/journal", folder + "/postgres"}) umount2(disk.c_str(), MNT_DETACH);
}

}  // namespace chat::test
